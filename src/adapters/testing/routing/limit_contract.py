from adapters.testing.routing.harness import (
    LEASE_US,
    WHOLE,
    RoutingHarness,
    instance,
    ordered,
)
from domain.durations import SECOND_US
from domain.resilience.circuit_breaker import CircuitState
from domain.resilience.outcome import Outcome
from domain.routing.decision import Exclusion
from domain.routing.strategy import Leaf


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

        assert (await harness.view(limited, WHOLE)).tokens_used == 80

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
        assert (await harness.view(limited, WHOLE)).in_flight == 1
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

        assert (await harness.view(limited, WHOLE)).in_flight == 0

    async def test_a_report_repeated_changes_nothing(self, harness: RoutingHarness) -> None:
        limited = instance("limited", tpm=100)
        held = await harness.take(Leaf(limited), tokens=80)
        held.end(Outcome.FAILURE, tokens=50)
        held.end(Outcome.FAILURE, tokens=50)
        held.end(Outcome.FAILURE, tokens=50)

        view = await harness.view(limited, WHOLE)
        assert (view.tokens_used, view.in_flight, view.circuit) == (50, 0, CircuitState.CLOSED)

    async def test_refused_is_free(self, harness: RoutingHarness) -> None:
        roomy, full = instance("roomy", rpm=5, tpm=100), instance("full", max_parallel=1)
        await harness.take(Leaf(full))
        before = [(await harness.view(member, WHOLE)) for member in (roomy, full)]

        await harness.refused(ordered(full, roomy), tokens=101)

        assert [(await harness.view(member, WHOLE)) for member in (roomy, full)] == before
