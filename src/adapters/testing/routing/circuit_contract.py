import pytest

from adapters.testing.routing.harness import (
    CONFIG,
    LEASE_US,
    WHOLE,
    A,
    B,
    RoutingHarness,
    ordered,
)
from domain.durations import SECOND_US
from domain.failure import Cooldown
from domain.resilience.circuit_breaker import CircuitState
from domain.resilience.outcome import Outcome
from domain.routing.decision import Exclusion
from domain.routing.strategy import Leaf


class CircuitContract:
    """Circuits and cooldowns, as admission meets them."""

    async def test_consecutive_failures_open_the_circuit_and_are_announced(self, harness: RoutingHarness) -> None:
        await harness.fail(A, CONFIG.consecutive_failures)

        refusal = (await harness.refused(Leaf(A))).refusals[0]
        assert (refusal.reason, refusal.retry_after_us) == (Exclusion.CIRCUIT_OPEN, CONFIG.open_duration_us)
        assert [(e.instance_id, e.transition.after) for e in harness.events.circuits] == [(A.id, CircuitState.OPEN)]

    async def test_an_open_instance_leaves_its_siblings_alone(self, harness: RoutingHarness) -> None:
        await harness.fail(A, CONFIG.consecutive_failures)

        held = await harness.take(ordered(A, B))

        assert held.admitted.instance == B

    async def test_client_errors_never_open_a_circuit(self, harness: RoutingHarness) -> None:
        for _ in range(50):
            (await harness.take(Leaf(A))).end(Outcome.IGNORED)

        assert await harness.circuit(A) is CircuitState.CLOSED

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

        assert await harness.circuit(A) is CircuitState.CLOSED
        assert [e.transition.after for e in harness.events.circuits] == [
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

        assert await harness.circuit(A) is CircuitState.CLOSED

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

        assert await harness.circuit(A) is CircuitState.OPEN

    async def test_a_last_resort_is_probed_before_its_time_and_one_at_a_time(self, harness: RoutingHarness) -> None:
        await harness.fail(A, CONFIG.consecutive_failures)
        plan = Leaf(A, last_resort=True)

        probe = await harness.take(plan)
        refusal = (await harness.refused(plan)).refusals[0]

        assert probe.admitted.probe
        assert refusal.reason is Exclusion.PROBES_IN_FLIGHT

    async def test_a_last_resort_that_fails_does_not_prolong_the_rest(self, harness: RoutingHarness) -> None:
        await harness.fail(A, CONFIG.consecutive_failures)
        harness.clock.advance(SECOND_US)

        (await harness.take(Leaf(A, last_resort=True))).end(Outcome.FAILURE)

        refusal = (await harness.refused(Leaf(A))).refusals[0]
        assert refusal.retry_after_us == CONFIG.open_duration_us - SECOND_US

    async def test_a_cooldown_refuses_until_it_is_over_and_leaves_the_circuit_closed(
        self, harness: RoutingHarness
    ) -> None:
        span_us = 7 * SECOND_US
        (await harness.take(Leaf(A))).end(Outcome.IGNORED, cooldown=Cooldown.RATE_LIMITED, cooldown_us=span_us)

        refusal = (await harness.refused(Leaf(A, last_resort=True))).refusals[0]
        assert (refusal.reason, refusal.retry_after_us) == (Exclusion.COOLING_DOWN, span_us)
        assert await harness.circuit(A) is CircuitState.CLOSED
        harness.clock.advance(span_us)
        await harness.take(Leaf(A))

    async def test_a_shorter_cooldown_does_not_cut_a_longer_one(self, harness: RoutingHarness) -> None:
        first, second = await harness.take(Leaf(A)), await harness.take(Leaf(A))
        first.end(Outcome.IGNORED, cooldown=Cooldown.RATE_LIMITED, cooldown_us=9 * SECOND_US)
        second.end(Outcome.IGNORED, cooldown=Cooldown.RATE_LIMITED, cooldown_us=1 * SECOND_US)

        assert (await harness.refused(Leaf(A))).refusals[0].retry_after_us == 9 * SECOND_US

    async def test_a_guessed_cooldown_doubles_until_a_success(self, harness: RoutingHarness) -> None:
        async def rest_s(outcome: Outcome = Outcome.IGNORED) -> int:
            limited = Cooldown.RATE_LIMITED if outcome is Outcome.IGNORED else None
            span_us = SECOND_US if limited else 0
            held = await harness.take(Leaf(A))
            held.end(outcome, cooldown=limited, cooldown_us=span_us, cooldown_grows=limited is not None)
            if limited is None:
                return 0
            waited_us = (await harness.refused(Leaf(A))).refusals[0].retry_after_us or 0
            harness.clock.advance(waited_us)
            return waited_us // SECOND_US

        growing = [await rest_s() for _ in range(11)]
        await rest_s(Outcome.SUCCESS)

        assert growing == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
        assert await rest_s() == 1

    async def test_guesses_from_before_the_rest_do_not_prolong_it(self, harness: RoutingHarness) -> None:
        running = [await harness.take(Leaf(A)) for _ in range(10)]
        for held in running:
            held.end(Outcome.IGNORED, cooldown=Cooldown.RATE_LIMITED, cooldown_us=SECOND_US, cooldown_grows=True)

        assert (await harness.refused(Leaf(A))).refusals[0].retry_after_us == SECOND_US

    async def test_a_refused_credential_rests_but_serves_as_the_last_resort(self, harness: RoutingHarness) -> None:
        held = await harness.take(Leaf(A))
        held.end(Outcome.IGNORED, cooldown=Cooldown.MISCONFIGURED, cooldown_us=300 * SECOND_US)

        await harness.refused(Leaf(A))
        await harness.take(Leaf(A, last_resort=True))

    async def test_a_credential_that_serves_again_returns_to_the_rotation(self, harness: RoutingHarness) -> None:
        span_us = 300 * SECOND_US
        (await harness.take(Leaf(A))).end(Outcome.IGNORED, cooldown=Cooldown.MISCONFIGURED, cooldown_us=span_us)
        (await harness.take(Leaf(A, last_resort=True))).end()

        await harness.take(Leaf(A))

    async def test_a_success_does_not_end_a_rest_that_was_asked_for(self, harness: RoutingHarness) -> None:
        early, late = await harness.take(Leaf(A)), await harness.take(Leaf(A))
        early.end(Outcome.IGNORED, cooldown=Cooldown.RATE_LIMITED, cooldown_us=9 * SECOND_US)
        late.end()

        await harness.refused(Leaf(A))

    async def test_a_closed_circuit_starts_slowly(self, harness: RoutingHarness) -> None:
        await harness.fail(A, CONFIG.consecutive_failures)
        harness.clock.advance(CONFIG.open_duration_us)
        for _ in range(CONFIG.probes_to_close):
            (await harness.take(Leaf(A))).end()

        at_first = (await harness.view(A, WHOLE)).weight_factor
        harness.clock.advance(CONFIG.slow_start_us)

        assert at_first == pytest.approx(0.1)
        assert (await harness.view(A, WHOLE)).weight_factor == 1
