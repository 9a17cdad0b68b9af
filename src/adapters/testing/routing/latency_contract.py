from dataclasses import replace

from adapters.testing.routing.harness import (
    WHOLE,
    A,
    B,
    RoutingHarness,
)
from domain.durations import SECOND_US
from domain.latency import LatencyKind
from domain.resilience.outcome import Outcome
from domain.routing.strategy import Leaf


class LatencyContract:
    """What is learnt of how long instances take."""

    async def test_two_instances_of_one_model_have_estimates_of_their_own(self, harness: RoutingHarness) -> None:
        (await harness.take(Leaf(A))).end(latency_us=100_000)
        (await harness.take(Leaf(B))).end(latency_us=900_000)

        assert (await harness.view(A, WHOLE)).latency_us == 100_000
        assert (await harness.view(B, WHOLE)).latency_us == 900_000

    async def test_the_two_kinds_of_latency_are_kept_apart(self, harness: RoutingHarness) -> None:
        harness.routing.observe_latency(A, LatencyKind.FIRST_CONTENT, 50_000)
        (await harness.take(Leaf(A))).end(latency_us=4_000_000)

        assert (await harness.view(A, LatencyKind.FIRST_CONTENT)).latency_us == 50_000
        assert (await harness.view(A, WHOLE)).latency_us == 4_000_000

    async def test_a_fast_failure_never_looks_fast(self, harness: RoutingHarness) -> None:
        (await harness.take(Leaf(A))).end(latency_us=200_000)

        (await harness.take(Leaf(A))).end(Outcome.FAILURE, latency_us=1_000)

        latency_us = (await harness.view(A, WHOLE)).latency_us
        assert latency_us is not None
        assert latency_us >= SECOND_US

    async def test_a_cancelled_attempt_only_ever_raises_the_estimate(self, harness: RoutingHarness) -> None:
        (await harness.take(Leaf(A))).end(latency_us=200_000)
        (await harness.take(Leaf(A))).end(Outcome.IGNORED, latency_us=1_000)
        unchanged = (await harness.view(A, WHOLE)).latency_us
        (await harness.take(Leaf(A))).end(Outcome.IGNORED, latency_us=5_000_000)

        assert unchanged == 200_000
        assert (await harness.view(A, WHOLE)).latency_us == 5_000_000

    async def test_an_idle_instance_comes_back_into_play(self, harness: RoutingHarness) -> None:
        (await harness.take(Leaf(A))).end(latency_us=10_000_000)
        harness.clock.advance(60 * SECOND_US)

        latency_us = (await harness.view(A, WHOLE)).latency_us

        assert latency_us is not None
        assert latency_us < 2_000_000

    async def test_leases_of_different_instances_do_not_mix(self, harness: RoutingHarness) -> None:
        held = await harness.take(Leaf(A))
        stranger = replace(held, admitted=replace(held.admitted, instance=B))
        stranger.end()

        assert (await harness.view(A, WHOLE)).in_flight == 1
