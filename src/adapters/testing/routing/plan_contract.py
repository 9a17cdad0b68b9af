from collections import Counter

from adapters.testing.routing.harness import (
    WHOLE,
    A,
    B,
    C,
    RoutingHarness,
    instance,
    ordered,
    weighted,
)
from domain.resilience.circuit_breaker import CircuitState
from domain.routing.decision import Exclusion
from domain.routing.strategy import Leaf, Weighted


class PlanContract:
    """Which instance of a plan is taken."""

    async def test_an_instance_never_heard_of_is_healthy_and_idle(self, harness: RoutingHarness) -> None:
        view = await harness.view(A, WHOLE)

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
        assert (await harness.view(first.admitted.instance, WHOLE)).requests_used == 1
