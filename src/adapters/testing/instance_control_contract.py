"""The contract of the InstanceControl port. Inherit it, give it a `controlled`, and every test must pass."""

import pytest

from adapters.testing.checked_circuit_contract import CheckedCircuitContract
from adapters.testing.forced_circuit_contract import ForcedCircuitContract
from adapters.testing.instance_control_support import Controlled
from adapters.testing.routing.harness import CONFIG, LEASE_US, WHOLE, A, B, C, ordered
from domain.durations import MINUTE_US, SECOND_US
from domain.failure import Cooldown
from domain.latency import WINDOW_MINUTES, LatencyKind
from domain.resilience.circuit_breaker import CircuitState
from domain.resilience.outcome import Outcome
from domain.routing.decision import Exclusion
from domain.routing.instance_report import InstanceReport
from domain.routing.strategy import Leaf

__all__ = ["Controlled", "InstanceControlContract"]

FIRST_CONTENT = LatencyKind.FIRST_CONTENT


class InstanceControlContract(ForcedCircuitContract, CheckedCircuitContract):
    """Wants `controlled`: fresh state, circuits by `CONFIG`."""

    async def test_an_instance_never_heard_of_is_healthy_and_idle(self, controlled: Controlled) -> None:
        assert await controlled.control.inspect([A]) == [InstanceReport()]

    async def test_reports_come_in_the_order_asked_for(self, controlled: Controlled) -> None:
        await controlled.control.drain(B, True)

        reports = await controlled.control.inspect([A, B, C, B])

        assert [report.drained for report in reports] == [False, True, False, True]
        assert await controlled.control.inspect([]) == []

    async def test_attempts_in_flight_are_counted_until_they_end(self, controlled: Controlled) -> None:
        first, _ = await controlled.routing.take(Leaf(A)), await controlled.routing.take(Leaf(A))
        assert (await controlled.report()).in_flight == 2

        first.end()

        assert (await controlled.report()).in_flight == 1

    async def test_latency_is_that_of_successes(self, controlled: Controlled) -> None:
        (await controlled.routing.take(Leaf(A))).end(latency_us=200_000)
        (await controlled.routing.take(Leaf(A))).end(Outcome.FAILURE, latency_us=9_000_000)

        latency = (await controlled.report()).latency

        assert set(latency) == {WHOLE}
        assert latency[WHOLE].count == 1
        assert latency[WHOLE].p95_us == pytest.approx(200_000, rel=0.02)

    async def test_a_cooldown_is_told_until_it_is_over(self, controlled: Controlled) -> None:
        asked_us = controlled.routing.clock.now_us()
        held = await controlled.routing.take(Leaf(A))
        held.end(Outcome.IGNORED, cooldown=Cooldown.RATE_LIMITED, cooldown_us=SECOND_US)

        report = await controlled.report()
        assert (report.cooldown, report.cooldown_until_us) == (Cooldown.RATE_LIMITED, asked_us + SECOND_US)

        controlled.routing.clock.advance(SECOND_US - 1)
        assert (await controlled.report()).cooldown is Cooldown.RATE_LIMITED
        controlled.routing.clock.advance(1)
        report = await controlled.report()
        assert (report.cooldown, report.cooldown_until_us) == (None, None)

    async def test_a_drained_instance_is_not_taken_until_it_is_back(self, controlled: Controlled) -> None:
        await controlled.control.drain(A, True)
        await controlled.control.drain(A, True)
        assert await controlled.exclusion() is Exclusion.DRAINED
        assert (await controlled.report()).drained

        await controlled.control.drain(A, False)

        assert await controlled.exclusion() is None
        assert not (await controlled.report()).drained

    async def test_what_is_in_flight_goes_on_while_an_instance_drains(self, controlled: Controlled) -> None:
        held = await controlled.routing.take(Leaf(A))

        await controlled.control.drain(A, True)

        assert (await controlled.report()).in_flight == 1
        held.end()
        assert (await controlled.report()).in_flight == 0

    async def test_both_gateways_count_what_runs_on_either(self, controlled: Controlled) -> None:
        await controlled.routing.take(Leaf(A))
        held = await controlled.other_routing.take(Leaf(A))
        assert (await controlled.report()).in_flight == 2

        held.end(latency_us=300_000)

        report = await controlled.report()
        assert report.in_flight == 1
        assert report.latency[WHOLE].count == 1

    async def test_an_attempt_whose_gateway_died_is_counted_until_its_lease_expires(
        self, controlled: Controlled
    ) -> None:
        await controlled.routing.take(Leaf(A))

        controlled.routing.clock.advance(LEASE_US - 1)
        assert (await controlled.report()).in_flight == 1
        controlled.routing.clock.advance(1)
        assert (await controlled.report()).in_flight == 0

    async def test_percentiles_are_those_of_all_samples_of_either_gateway(self, controlled: Controlled) -> None:
        for hundredth in range(1, 101):
            gateway = controlled.routing if hundredth % 3 else controlled.other_routing
            gateway.routing.observe_latency(A, WHOLE, hundredth * 10_000)
            if hundredth % 40 == 0:
                await controlled.arrive()
                controlled.routing.clock.advance(MINUTE_US)

        found = (await controlled.report()).latency[WHOLE]

        assert found.count == 100
        assert found.p50_us == pytest.approx(500_000, rel=0.02)
        assert found.p95_us == pytest.approx(950_000, rel=0.02)
        assert found.p99_us == pytest.approx(990_000, rel=0.02)

    async def test_the_two_kinds_of_latency_are_told_apart(self, controlled: Controlled) -> None:
        controlled.routing.routing.observe_latency(A, FIRST_CONTENT, 50_000)
        (await controlled.routing.take(Leaf(A))).end(latency_us=4_000_000)
        (await controlled.routing.take(Leaf(A))).end(latency_us=5_000_000)

        latency = (await controlled.report()).latency

        assert {kind: found.count for kind, found in latency.items()} == {FIRST_CONTENT: 1, WHOLE: 2}
        assert latency[FIRST_CONTENT].p99_us == pytest.approx(50_000, rel=0.02)
        assert latency[WHOLE].p50_us == pytest.approx(4_000_000, rel=0.02)

    async def test_samples_leave_with_the_fifth_minute_after_theirs(self, controlled: Controlled) -> None:
        observe = controlled.routing.routing.observe_latency
        observe(A, WHOLE, 100_000)
        await controlled.arrive()
        controlled.routing.clock.advance(WINDOW_MINUTES * MINUTE_US - 1)
        observe(A, WHOLE, 900_000)
        assert (await controlled.report()).latency[WHOLE].count == 2

        controlled.routing.clock.advance(1)
        assert (await controlled.report()).latency[WHOLE].count == 1

        controlled.routing.clock.advance(MINUTE_US)
        observe(A, WHOLE, 900_000)
        assert (await controlled.report()).latency[WHOLE].count == 2

        controlled.routing.clock.advance(WINDOW_MINUTES * MINUTE_US)
        assert (await controlled.report()).latency == {}

    async def test_each_of_five_minutes_counts(self, controlled: Controlled) -> None:
        counts = []
        for _ in range(2 * WINDOW_MINUTES):
            controlled.routing.routing.observe_latency(A, WHOLE, 100_000)
            counts.append((await controlled.report()).latency[WHOLE].count)
            controlled.routing.clock.advance(MINUTE_US)

        assert counts == [1, 2, 3, 4, 5, 5, 5, 5, 5, 5]

    async def test_a_drain_and_its_end_are_everybodys(self, controlled: Controlled) -> None:
        await controlled.control.drain(A, True)
        assert await controlled.exclusion() is Exclusion.DRAINED
        assert await controlled.exclusion(last_resort=True) is Exclusion.DRAINED

        await controlled.other_control.drain(A, False)

        assert not (await controlled.report()).drained
        assert (await controlled.routing.take(Leaf(A))).admitted.instance == A

    async def test_a_drained_instance_leaves_its_siblings_alone(self, controlled: Controlled) -> None:
        await controlled.control.drain(A, True)

        held = await controlled.other_routing.take(ordered(A, B))

        assert held.admitted.instance == B
        assert [(r.instance_id, r.reason) for r in held.admitted.refusals] == [(A.id, Exclusion.DRAINED)]

    async def test_taking_back_what_was_never_drained_changes_nothing(self, controlled: Controlled) -> None:
        await controlled.control.drain(A, False)

        assert await controlled.control.inspect([A]) == [InstanceReport()]

    async def test_what_comes_in_while_an_instance_drains_is_learned(self, controlled: Controlled) -> None:
        running = [await controlled.routing.take(Leaf(A)) for _ in range(CONFIG.consecutive_failures)]
        await controlled.control.drain(A, True)

        for held in running:
            held.end(Outcome.FAILURE)
            await controlled.arrive()

        report = await controlled.report()
        assert (report.drained, report.in_flight, report.circuit.state) == (True, 0, CircuitState.OPEN)

    async def test_a_drain_leaves_circuit_and_rest_as_they_are(self, controlled: Controlled) -> None:
        held = await controlled.routing.take(Leaf(A))
        await controlled.routing.fail(A, CONFIG.consecutive_failures)
        held.end(Outcome.IGNORED, cooldown=Cooldown.ASKED_FOR, cooldown_us=MINUTE_US)
        before = await controlled.report()

        await controlled.control.drain(A, True)
        await controlled.control.drain(A, False)

        assert await controlled.report() == before
        assert before.circuit.state is CircuitState.OPEN
        assert before.cooldown is Cooldown.ASKED_FOR
