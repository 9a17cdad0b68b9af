"""The contract of the Routing port. Inherit it, give it a `harness`, and every test must pass.

class TestMyRouting(RoutingContract):
    @pytest.fixture
    def harness(self) -> RoutingHarness: ...
"""

from collections import Counter
from dataclasses import dataclass, replace

import pytest

from adapters.testing.doubles import SpyEventSink
from adapters.testing.virtual_time import ManualClock
from application.ports.routing import Routing
from domain.catalog import Instance, InstanceLimits
from domain.durations import SECOND_US
from domain.failure import Cooldown
from domain.identifiers import InstanceId, LeaseId, ModelName
from domain.latency import LatencyKind
from domain.resilience.circuit_breaker import CircuitBreakerConfig, CircuitState
from domain.resilience.outcome import Outcome
from domain.routing.admission import AdmissionRequest, Admitted, NotAdmitted
from domain.routing.decision import Exclusion
from domain.routing.report import AttemptReport
from domain.routing.strategy import Leaf, Node, Ordered, Weighted

CONFIG = CircuitBreakerConfig()
LEASE_US = 30 * SECOND_US
WHOLE = LatencyKind.WHOLE


def instance(name: str, *, rpm: int | None = None, tpm: int | None = None, max_parallel: int | None = None) -> Instance:
    """An instance of the model `m`."""
    limits = InstanceLimits(rpm, tpm, max_parallel)
    return Instance(InstanceId(name), ModelName("m"), "custom", "upstream", limits=limits)


A, B, C = instance("a"), instance("b"), instance("c")


@dataclass
class RoutingHarness:
    """A Routing with `CONFIG`, and what it hangs on. The suite moves the clock."""

    routing: Routing
    clock: ManualClock
    events: SpyEventSink
    taken: int = 0

    async def admit(self, plan: Node, *, tokens: int = 0, lease: str | None = None) -> Admitted | NotAdmitted:
        """One admission under a lease of its own."""
        self.taken += 1
        lease_id = LeaseId(lease or f"lease-{self.taken}")
        return await self.routing.admit(AdmissionRequest(lease_id, plan, tokens, LEASE_US))

    async def take(self, plan: Node, *, tokens: int = 0, lease: str | None = None) -> "Held":
        """One admission that must succeed."""
        answer = await self.admit(plan, tokens=tokens, lease=lease)
        assert isinstance(answer, Admitted), answer
        return Held(self, LeaseId(lease or f"lease-{self.taken}"), answer, tokens)

    async def refused(self, plan: Node, *, tokens: int = 0) -> NotAdmitted:
        """One admission that must be refused."""
        answer = await self.admit(plan, tokens=tokens)
        assert isinstance(answer, NotAdmitted), answer
        return answer

    async def fail(self, member: Instance, times: int, *, jitter: float = 1.0) -> None:
        """Lets `member` fail, one attempt after the other. Jitter 1 opens for the whole open time."""
        for _ in range(times):
            (await self.take(Leaf(member))).end(Outcome.FAILURE, jitter=jitter)

    def circuit(self, member: Instance) -> CircuitState:
        """The state of its circuit."""
        return self.routing.view(member, WHOLE).circuit


@dataclass
class Held:
    """An admitted attempt."""

    harness: RoutingHarness
    lease_id: LeaseId
    admitted: Admitted
    tokens: int

    def end(
        self,
        outcome: Outcome = Outcome.SUCCESS,
        *,
        latency_us: int | None = None,
        tokens: int | None = None,
        slow: bool = False,
        jitter: float = 1.0,
        cooldown: Cooldown | None = None,
        cooldown_us: int = 0,
    ) -> None:
        """Reports it."""
        self.harness.routing.report(
            AttemptReport(
                self.lease_id,
                self.admitted.instance,
                self.admitted.generation,
                self.admitted.probe,
                self.admitted.bucket_s,
                outcome,
                WHOLE,
                latency_us,
                slow,
                self.tokens,
                tokens,
                jitter,
                cooldown,
                cooldown_us,
            )
        )


def weighted(*members: tuple[Instance, int], key: str = "k") -> Weighted:
    """A round-robin over instances."""
    return Weighted(key, tuple((str(member.id), weight, Leaf(member)) for member, weight in members))


def ordered(*members: Instance) -> Ordered:
    """One after the other."""
    return Ordered(tuple(Leaf(member) for member in members))


class PlanContract:
    """Which instance of a plan is taken."""

    async def test_an_instance_never_heard_of_is_healthy_and_idle(self, harness: RoutingHarness) -> None:
        view = harness.routing.view(A, WHOLE)

        assert (view.circuit, view.in_flight, view.requests_used, view.latency_us) == (CircuitState.CLOSED, 0, 0, None)

    async def test_an_ordered_plan_takes_the_first_and_passes_over_the_refused(self, harness: RoutingHarness) -> None:
        full = instance("full", max_parallel=1)
        await harness.take(Leaf(full))

        held = await harness.take(ordered(full, A, B))

        assert held.admitted.instance == A
        assert [(r.instance_id, r.reason) for r in held.admitted.refusals] == [(full.id, Exclusion.MAX_PARALLEL)]

    async def test_a_weighted_plan_follows_smooth_weighted_round_robin(self, harness: RoutingHarness) -> None:
        plan = weighted((A, 5), (B, 1), (C, 1))

        picked = [(await harness.take(plan)).admitted.instance.id for _ in range(14)]

        assert "".join(picked) == "aabacaa" * 2

    async def test_nested_round_robins_are_exact_at_both_levels(self, harness: RoutingHarness) -> None:
        inner = weighted((A, 1), (B, 1), key="inner")
        plan = Weighted("outer", (("m", 2, inner), ("n", 1, Leaf(C))))

        picked = Counter([(await harness.take(plan)).admitted.instance.id for _ in range(12)])

        assert picked == {"a": 4, "b": 4, "c": 4}

    async def test_a_refused_request_leaves_the_sequence_of_the_others_exact(self, harness: RoutingHarness) -> None:
        limited = instance("limited", tpm=100)
        plan = weighted((A, 5), (B, 1), (C, 1))
        picked = []
        for _ in range(7):
            refusal = await harness.refused(Weighted("k", (("a", 5, Leaf(limited)),)), tokens=101)
            assert [r.reason for r in refusal.refusals] == [Exclusion.TPM_LIMIT]
            picked.append((await harness.take(plan)).admitted.instance.id)

        assert "".join(picked) == "aabacaa"

    async def test_a_member_that_was_away_gets_no_burst(self, harness: RoutingHarness) -> None:
        for _ in range(500):
            (await harness.take(weighted((B, 3), (C, 2)))).end()

        back = Counter([(await harness.take(weighted((A, 5), (B, 3), (C, 2)))).admitted.instance.id for _ in range(20)])

        assert back == {"a": 10, "b": 6, "c": 4}

    async def test_weight_zero_is_never_taken(self, harness: RoutingHarness) -> None:
        refusal = await harness.refused(weighted((A, 0)))

        assert [r.reason for r in refusal.refusals] == [Exclusion.ZERO_WEIGHT]

    async def test_admission_repeated_under_the_same_lease_answers_as_before(self, harness: RoutingHarness) -> None:
        plan = weighted((A, 1), (B, 1))
        first = await harness.take(plan, lease="same")
        again = await harness.take(plan, lease="same")
        other = await harness.take(plan)

        assert again.admitted.instance == first.admitted.instance
        assert other.admitted.instance != first.admitted.instance
        assert harness.routing.view(first.admitted.instance, WHOLE).requests_used == 1


class LimitContract:
    """Limits of instances, and the slots they hold."""

    async def test_rpm_admits_exactly_the_limit_and_says_when_the_next_fits(self, harness: RoutingHarness) -> None:
        limited = instance("limited", rpm=3)
        for _ in range(3):
            (await harness.take(Leaf(limited))).end()

        refusal = (await harness.refused(Leaf(limited))).refusals[0]
        assert refusal.reason is Exclusion.RPM_LIMIT
        assert refusal.retry_after_us is not None
        harness.clock.advance(refusal.retry_after_us - 1)
        await harness.refused(Leaf(limited))
        harness.clock.advance(1)
        await harness.take(Leaf(limited))

    async def test_rpm_holds_over_a_boundary_of_minutes(self, harness: RoutingHarness) -> None:
        limited = instance("limited", rpm=10)
        harness.clock.advance(59 * SECOND_US + 999_000)
        for _ in range(10):
            (await harness.take(Leaf(limited))).end()

        harness.clock.advance(2_000)

        await harness.refused(Leaf(limited))

    async def test_tpm_reserves_the_estimate_and_settles_to_the_actual_usage(self, harness: RoutingHarness) -> None:
        limited = instance("limited", tpm=100)
        held = await harness.take(Leaf(limited), tokens=80)
        await harness.refused(Leaf(limited), tokens=30)

        harness.clock.advance(5 * SECOND_US)
        held.end(tokens=50)

        await harness.take(Leaf(limited), tokens=50)
        refusal = (await harness.refused(Leaf(limited), tokens=1)).refusals[0]
        assert refusal.reason is Exclusion.TPM_LIMIT

    async def test_a_reservation_stands_where_the_usage_is_unknown(self, harness: RoutingHarness) -> None:
        limited = instance("limited", tpm=100)

        (await harness.take(Leaf(limited), tokens=80)).end(Outcome.IGNORED, tokens=None)

        assert harness.routing.view(limited, WHOLE).tokens_used == 80

    async def test_what_can_never_fit_names_no_time_to_wait_for(self, harness: RoutingHarness) -> None:
        refusal = (await harness.refused(Leaf(instance("limited", tpm=100)), tokens=101)).refusals[0]

        assert (refusal.reason, refusal.retry_after_us) == (Exclusion.TPM_LIMIT, None)

    async def test_max_parallel_counts_running_attempts(self, harness: RoutingHarness) -> None:
        limited = instance("limited", max_parallel=2)
        first = await harness.take(Leaf(limited))
        await harness.take(Leaf(limited))
        refusal = (await harness.refused(Leaf(limited))).refusals[0]

        first.end()

        assert refusal.reason is Exclusion.MAX_PARALLEL
        assert harness.routing.view(limited, WHOLE).in_flight == 1
        await harness.take(Leaf(limited))

    async def test_the_slot_of_one_who_died_comes_back_when_its_lease_expires(self, harness: RoutingHarness) -> None:
        limited = instance("limited", max_parallel=1)
        await harness.take(Leaf(limited))

        harness.clock.advance(LEASE_US - 1)
        await harness.refused(Leaf(limited))
        harness.clock.advance(1)
        await harness.take(Leaf(limited))

    async def test_a_renewed_lease_holds_its_slot(self, harness: RoutingHarness) -> None:
        limited = instance("limited", max_parallel=1)
        held = await harness.take(Leaf(limited))
        for _ in range(6):
            harness.clock.advance(LEASE_US // 3)
            await harness.routing.renew({held.lease_id: limited}, LEASE_US)

        await harness.refused(Leaf(limited))
        held.end()
        await harness.take(Leaf(limited))

    async def test_renewing_does_not_bring_back_an_expired_lease(self, harness: RoutingHarness) -> None:
        limited = instance("limited", max_parallel=1)
        held = await harness.take(Leaf(limited))
        harness.clock.advance(LEASE_US)

        await harness.routing.renew({held.lease_id: limited}, LEASE_US)

        assert harness.routing.view(limited, WHOLE).in_flight == 0

    async def test_a_report_repeated_changes_nothing(self, harness: RoutingHarness) -> None:
        limited = instance("limited", tpm=100)
        held = await harness.take(Leaf(limited), tokens=80)
        held.end(Outcome.FAILURE, tokens=50)
        held.end(Outcome.FAILURE, tokens=50)
        held.end(Outcome.FAILURE, tokens=50)

        view = harness.routing.view(limited, WHOLE)
        assert (view.tokens_used, view.in_flight, view.circuit) == (50, 0, CircuitState.CLOSED)

    async def test_refused_is_free(self, harness: RoutingHarness) -> None:
        roomy, full = instance("roomy", rpm=5, tpm=100), instance("full", max_parallel=1)
        await harness.take(Leaf(full))
        before = [harness.routing.view(member, WHOLE) for member in (roomy, full)]

        await harness.refused(ordered(full, roomy), tokens=101)

        assert [harness.routing.view(member, WHOLE) for member in (roomy, full)] == before


class CircuitContract:
    """Circuits and cooldowns, as admission meets them."""

    async def test_consecutive_failures_open_the_circuit_and_are_announced(self, harness: RoutingHarness) -> None:
        await harness.fail(A, CONFIG.consecutive_failures)

        refusal = (await harness.refused(Leaf(A))).refusals[0]
        assert (refusal.reason, refusal.retry_after_us) == (Exclusion.CIRCUIT_OPEN, CONFIG.open_duration_us)
        assert [(e.instance_id, e.transition.after) for e in harness.events.events] == [(A.id, CircuitState.OPEN)]

    async def test_an_open_instance_leaves_its_siblings_alone(self, harness: RoutingHarness) -> None:
        await harness.fail(A, CONFIG.consecutive_failures)

        held = await harness.take(ordered(A, B))

        assert held.admitted.instance == B

    async def test_client_errors_never_open_a_circuit(self, harness: RoutingHarness) -> None:
        for _ in range(50):
            (await harness.take(Leaf(A))).end(Outcome.IGNORED)

        assert harness.circuit(A) is CircuitState.CLOSED

    async def test_half_open_lets_only_its_probes_through(self, harness: RoutingHarness) -> None:
        await harness.fail(A, CONFIG.consecutive_failures)
        harness.clock.advance(CONFIG.open_duration_us)

        probe = await harness.take(Leaf(A))
        refusal = (await harness.refused(Leaf(A))).refusals[0]

        assert probe.admitted.probe
        assert refusal.reason is Exclusion.PROBES_IN_FLIGHT

    async def test_probes_that_succeed_close_the_circuit(self, harness: RoutingHarness) -> None:
        await harness.fail(A, CONFIG.consecutive_failures)
        harness.clock.advance(CONFIG.open_duration_us)
        for _ in range(CONFIG.probes_to_close):
            (await harness.take(Leaf(A))).end()

        assert harness.circuit(A) is CircuitState.CLOSED
        assert [e.transition.after for e in harness.events.events] == [
            CircuitState.OPEN,
            CircuitState.HALF_OPEN,
            CircuitState.CLOSED,
        ]

    async def test_a_probe_that_fails_opens_for_longer(self, harness: RoutingHarness) -> None:
        await harness.fail(A, CONFIG.consecutive_failures)
        harness.clock.advance(CONFIG.open_duration_us)
        await harness.fail(A, 1)

        refusal = (await harness.refused(Leaf(A))).refusals[0]

        assert refusal.retry_after_us == 2 * CONFIG.open_duration_us

    async def test_a_probe_that_never_reports_does_not_wedge_the_circuit(self, harness: RoutingHarness) -> None:
        await harness.fail(A, CONFIG.consecutive_failures)
        harness.clock.advance(CONFIG.open_duration_us)
        lost = await harness.take(Leaf(A))
        harness.clock.advance(LEASE_US)

        for _ in range(CONFIG.probes_to_close):
            (await harness.take(Leaf(A))).end()
        lost.end(Outcome.FAILURE)

        assert harness.circuit(A) is CircuitState.CLOSED

    async def test_a_probe_longer_than_its_lease_keeps_its_permit_when_renewed(self, harness: RoutingHarness) -> None:
        await harness.fail(A, CONFIG.consecutive_failures)
        harness.clock.advance(CONFIG.open_duration_us)
        probe = await harness.take(Leaf(A))
        for _ in range(6):
            harness.clock.advance(LEASE_US // 3)
            await harness.routing.renew({probe.lease_id: A}, LEASE_US)

        await harness.refused(Leaf(A))

    async def test_a_success_from_before_the_outage_does_not_close(self, harness: RoutingHarness) -> None:
        old = await harness.take(Leaf(A))
        await harness.fail(A, CONFIG.consecutive_failures)

        old.end()

        assert harness.circuit(A) is CircuitState.OPEN

    async def test_a_last_resort_is_probed_before_its_time_and_one_at_a_time(self, harness: RoutingHarness) -> None:
        await harness.fail(A, CONFIG.consecutive_failures)
        plan = Leaf(A, last_resort=True)

        probe = await harness.take(plan)
        refusal = (await harness.refused(plan)).refusals[0]

        assert probe.admitted.probe
        assert refusal.reason is Exclusion.PROBES_IN_FLIGHT

    async def test_a_cooldown_refuses_until_it_is_over_and_leaves_the_circuit_closed(
        self, harness: RoutingHarness
    ) -> None:
        span_us = 7 * SECOND_US
        (await harness.take(Leaf(A))).end(Outcome.IGNORED, cooldown=Cooldown.RATE_LIMITED, cooldown_us=span_us)

        refusal = (await harness.refused(Leaf(A, last_resort=True))).refusals[0]
        assert (refusal.reason, refusal.retry_after_us) == (Exclusion.COOLING_DOWN, span_us)
        assert harness.circuit(A) is CircuitState.CLOSED
        harness.clock.advance(span_us)
        await harness.take(Leaf(A))

    async def test_a_shorter_cooldown_does_not_cut_a_longer_one(self, harness: RoutingHarness) -> None:
        first, second = await harness.take(Leaf(A)), await harness.take(Leaf(A))
        first.end(Outcome.IGNORED, cooldown=Cooldown.RATE_LIMITED, cooldown_us=9 * SECOND_US)
        second.end(Outcome.IGNORED, cooldown=Cooldown.RATE_LIMITED, cooldown_us=1 * SECOND_US)

        assert (await harness.refused(Leaf(A))).refusals[0].retry_after_us == 9 * SECOND_US

    async def test_a_refused_credential_rests_but_serves_as_the_last_resort(self, harness: RoutingHarness) -> None:
        held = await harness.take(Leaf(A))
        held.end(Outcome.IGNORED, cooldown=Cooldown.MISCONFIGURED, cooldown_us=300 * SECOND_US)

        await harness.refused(Leaf(A))
        await harness.take(Leaf(A, last_resort=True))

    async def test_a_closed_circuit_starts_slowly(self, harness: RoutingHarness) -> None:
        await harness.fail(A, CONFIG.consecutive_failures)
        harness.clock.advance(CONFIG.open_duration_us)
        for _ in range(CONFIG.probes_to_close):
            (await harness.take(Leaf(A))).end()

        at_first = harness.routing.view(A, WHOLE).weight_factor
        harness.clock.advance(CONFIG.slow_start_us)

        assert at_first == pytest.approx(0.1)
        assert harness.routing.view(A, WHOLE).weight_factor == 1


class LatencyContract:
    """What is learnt of how long instances take."""

    async def test_two_instances_of_one_model_have_estimates_of_their_own(self, harness: RoutingHarness) -> None:
        (await harness.take(Leaf(A))).end(latency_us=100_000)
        (await harness.take(Leaf(B))).end(latency_us=900_000)

        assert harness.routing.view(A, WHOLE).latency_us == 100_000
        assert harness.routing.view(B, WHOLE).latency_us == 900_000

    async def test_the_two_kinds_of_latency_are_kept_apart(self, harness: RoutingHarness) -> None:
        harness.routing.observe_latency(A, LatencyKind.FIRST_CONTENT, 50_000)
        (await harness.take(Leaf(A))).end(latency_us=4_000_000)

        assert harness.routing.view(A, LatencyKind.FIRST_CONTENT).latency_us == 50_000
        assert harness.routing.view(A, WHOLE).latency_us == 4_000_000

    async def test_a_fast_failure_never_looks_fast(self, harness: RoutingHarness) -> None:
        (await harness.take(Leaf(A))).end(latency_us=200_000)

        (await harness.take(Leaf(A))).end(Outcome.FAILURE, latency_us=1_000)

        latency_us = harness.routing.view(A, WHOLE).latency_us
        assert latency_us is not None
        assert latency_us >= SECOND_US

    async def test_a_cancelled_attempt_only_ever_raises_the_estimate(self, harness: RoutingHarness) -> None:
        (await harness.take(Leaf(A))).end(latency_us=200_000)
        (await harness.take(Leaf(A))).end(Outcome.IGNORED, latency_us=1_000)
        unchanged = harness.routing.view(A, WHOLE).latency_us
        (await harness.take(Leaf(A))).end(Outcome.IGNORED, latency_us=5_000_000)

        assert unchanged == 200_000
        assert harness.routing.view(A, WHOLE).latency_us == 5_000_000

    async def test_an_idle_instance_comes_back_into_play(self, harness: RoutingHarness) -> None:
        (await harness.take(Leaf(A))).end(latency_us=10_000_000)
        harness.clock.advance(60 * SECOND_US)

        latency_us = harness.routing.view(A, WHOLE).latency_us

        assert latency_us is not None
        assert latency_us < 2_000_000

    async def test_leases_of_different_instances_do_not_mix(self, harness: RoutingHarness) -> None:
        held = await harness.take(Leaf(A))
        stranger = replace(held, admitted=replace(held.admitted, instance=B))
        stranger.end()

        assert harness.routing.view(A, WHOLE).in_flight == 1


class RoutingContract(PlanContract, LimitContract, CircuitContract, LatencyContract):
    """All of it."""
