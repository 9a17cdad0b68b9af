"""The contract of the InstanceControl port. Inherit it, give it a `controlled`, and every test must pass."""

from dataclasses import dataclass

import pytest

from adapters.testing.routing.harness import CONFIG, WHOLE, A, B, C, RoutingHarness
from application.ports.instance_control import InstanceControl
from domain.durations import SECOND_US
from domain.failure import Cooldown
from domain.resilience.circuit_breaker import CircuitState
from domain.resilience.outcome import Outcome
from domain.routing.decision import Exclusion
from domain.routing.instance_report import InstanceReport
from domain.routing.strategy import Leaf


@dataclass
class Controlled:
    """An InstanceControl and a Routing that share their state."""

    control: InstanceControl
    routing: RoutingHarness

    async def report(self) -> InstanceReport:
        """The report of the instance A, with everything in it that was reported before."""
        # A report of an attempt has taken effect before the next admission, and no sooner.
        (await self.routing.take(Leaf(C))).end()
        await self.routing.take(Leaf(C))
        (found,) = await self.control.inspect([A])
        return found

    async def exclusion(self) -> Exclusion | None:
        """Why A can't be taken; None where it was."""
        answer = await self.routing.admit(Leaf(A))
        return answer.refusals[0].reason if answer.refusals else None


class InstanceControlContract:
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

    async def test_an_open_circuit_tells_since_when_why_and_when_it_is_probed(self, controlled: Controlled) -> None:
        opened_us = controlled.routing.clock.now_us()
        await controlled.routing.fail(A, CONFIG.consecutive_failures)
        controlled.routing.clock.advance(SECOND_US)

        circuit = (await controlled.report()).circuit

        assert (circuit.state, circuit.reason) == (CircuitState.OPEN, "consecutive_failures")
        assert circuit.opened_at_us == opened_us
        assert circuit.next_probe_at_us == opened_us + CONFIG.open_duration_us
        assert circuit.forced is None

    async def test_a_cooldown_is_told_until_it_is_over(self, controlled: Controlled) -> None:
        asked_us = controlled.routing.clock.now_us()
        held = await controlled.routing.take(Leaf(A))
        held.end(Outcome.IGNORED, cooldown=Cooldown.RATE_LIMITED, cooldown_us=SECOND_US)

        report = await controlled.report()
        assert (report.cooldown, report.cooldown_until_us) == (Cooldown.RATE_LIMITED, asked_us + SECOND_US)

        controlled.routing.clock.advance(SECOND_US)
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

    async def test_a_circuit_forced_open_stays_open_and_is_never_probed(self, controlled: Controlled) -> None:
        at_us = controlled.routing.clock.now_us()
        await controlled.control.force(A, CircuitState.OPEN)

        circuit = (await controlled.report()).circuit
        assert (circuit.state, circuit.forced, circuit.reason) == (CircuitState.OPEN, CircuitState.OPEN, "forced")
        assert (circuit.opened_at_us, circuit.next_probe_at_us) == (at_us, None)
        controlled.routing.clock.advance(2 * CONFIG.max_open_duration_us)
        assert await controlled.exclusion() is Exclusion.CIRCUIT_OPEN

    async def test_a_circuit_forced_closed_lets_everything_through(self, controlled: Controlled) -> None:
        await controlled.routing.fail(A, CONFIG.consecutive_failures)
        await controlled.control.force(A, CircuitState.CLOSED)

        await controlled.routing.fail(A, 2 * CONFIG.consecutive_failures)

        assert await controlled.exclusion() is None
        circuit = (await controlled.report()).circuit
        assert (circuit.state, circuit.forced) == (CircuitState.CLOSED, CircuitState.CLOSED)
        assert circuit.opened_at_us is None

    async def test_an_automatic_circuit_is_probed_after_it_was_forced_open(self, controlled: Controlled) -> None:
        await controlled.control.force(A, CircuitState.OPEN)

        await controlled.control.force(A, None)

        assert (await controlled.report()).circuit.forced is None
        held = await controlled.routing.take(Leaf(A))
        assert held.admitted.probe

    async def test_forced_transitions_are_announced_and_repetitions_are_not(self, controlled: Controlled) -> None:
        for state in (CircuitState.OPEN, CircuitState.OPEN, None, CircuitState.CLOSED, CircuitState.CLOSED, None):
            await controlled.control.force(A, state)

        changes = [(event.instance_id, event.transition) for event in controlled.routing.events.events]
        assert [(changed, transition.after, transition.reason) for changed, transition in changes] == [
            (A.id, CircuitState.OPEN, "forced"),
            (A.id, CircuitState.CLOSED, "forced"),
        ]

    async def test_half_open_can_not_be_forced(self, controlled: Controlled) -> None:
        with pytest.raises(ValueError, match="half-open"):
            await controlled.control.force(A, CircuitState.HALF_OPEN)

        assert await controlled.control.inspect([A]) == [InstanceReport()]
