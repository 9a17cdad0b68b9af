import pytest

from adapters.testing.instance_control_support import Controlled
from adapters.testing.routing.harness import CONFIG, A, B
from domain.durations import SECOND_US
from domain.resilience.circuit_breaker import CircuitState
from domain.resilience.outcome import Outcome
from domain.routing.decision import Exclusion
from domain.routing.instance_report import CircuitReport, InstanceReport
from domain.routing.strategy import Leaf

# Times with all their digits: a store that rounds them is found out.
ODD_US = SECOND_US + 234_567


class ForcedCircuitContract:
    """Circuits as operators see and force them: a part of `InstanceControlContract`."""

    async def test_an_open_circuit_tells_since_when_why_and_when_it_is_probed(self, controlled: Controlled) -> None:
        opened_us = controlled.routing.clock.now_us()
        await controlled.routing.fail(A, CONFIG.consecutive_failures)
        controlled.routing.clock.advance(SECOND_US)

        circuit = (await controlled.report()).circuit

        assert (circuit.state, circuit.reason) == (CircuitState.OPEN, "consecutive_failures")
        assert circuit.opened_at_us == opened_us
        assert circuit.next_probe_at_us == opened_us + CONFIG.open_duration_us
        assert circuit.forced is None

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

        changes = [(event.instance_id, event.transition) for event in controlled.routing.events.circuits]
        assert [(changed, transition.after, transition.reason) for changed, transition in changes] == [
            (A.id, CircuitState.OPEN, "forced"),
            (A.id, CircuitState.CLOSED, "forced"),
        ]

    async def test_half_open_can_not_be_forced(self, controlled: Controlled) -> None:
        with pytest.raises(ValueError, match="half-open"):
            await controlled.control.force(A, CircuitState.HALF_OPEN)

        assert await controlled.control.inspect([A]) == [InstanceReport()]

    async def test_a_forced_circuit_is_everybodys(self, controlled: Controlled) -> None:
        await controlled.other_control.force(B, CircuitState.OPEN)
        await controlled.control.force(A, CircuitState.OPEN)
        assert await controlled.exclusion() is Exclusion.CIRCUIT_OPEN
        assert await controlled.exclusion(last_resort=True) is Exclusion.CIRCUIT_OPEN

        await controlled.other_control.force(A, CircuitState.CLOSED)

        assert not (await controlled.routing.take(Leaf(A))).admitted.probe
        assert (await controlled.report()).circuit.forced is CircuitState.CLOSED
        assert [report.circuit.state for report in await controlled.control.inspect([A, B])] == ["closed", "open"]

    async def test_a_forced_transition_is_announced_by_whom_was_asked(self, controlled: Controlled) -> None:
        controlled.routing.clock.advance(SECOND_US)

        await controlled.other_control.force(A, CircuitState.OPEN)

        (event,) = controlled.other_routing.events.circuits
        assert (event.instance_id, event.transition.before) == (A.id, CircuitState.CLOSED)
        assert event.transition.at_us == controlled.routing.clock.now_us()
        assert controlled.routing.events.circuits == []

    async def test_forcing_open_what_is_open_keeps_since_when(self, controlled: Controlled) -> None:
        opened_us = controlled.routing.clock.now_us()
        await controlled.routing.fail(A, CONFIG.consecutive_failures)
        await controlled.arrive()
        announced = len(controlled.routing.events.circuits)
        controlled.routing.clock.advance(SECOND_US)

        await controlled.control.force(A, CircuitState.OPEN)

        circuit = (await controlled.report()).circuit
        assert (circuit.opened_at_us, circuit.next_probe_at_us) == (opened_us, None)
        assert (circuit.reason, circuit.forced) == ("consecutive_failures", CircuitState.OPEN)
        assert len(controlled.routing.events.circuits) == announced

    async def test_automatic_again_it_is_due_since_it_was_last_forced(self, controlled: Controlled) -> None:
        await controlled.control.force(A, CircuitState.OPEN)
        controlled.routing.clock.advance(ODD_US)
        forced_us = controlled.routing.clock.now_us()
        await controlled.control.force(A, CircuitState.OPEN)
        controlled.routing.clock.advance(SECOND_US)

        await controlled.control.force(A, None)

        circuit = (await controlled.report()).circuit
        assert (circuit.opened_at_us, circuit.next_probe_at_us) == (forced_us - ODD_US, forced_us)
        assert (await controlled.other_routing.take(Leaf(A))).admitted.probe

    async def test_automatic_where_nothing_was_forced_changes_nothing(self, controlled: Controlled) -> None:
        await controlled.control.force(B, None)
        await controlled.routing.fail(A, CONFIG.consecutive_failures)
        before = await controlled.report()

        await controlled.control.force(A, None)

        assert await controlled.report() == before
        assert await controlled.exclusion() is Exclusion.CIRCUIT_OPEN
        assert await controlled.control.inspect([B]) == [InstanceReport()]

    @pytest.mark.parametrize("outcome", [Outcome.SUCCESS, Outcome.FAILURE])
    async def test_probes_that_ran_while_it_was_forced_open_move_nothing(
        self, controlled: Controlled, outcome: Outcome
    ) -> None:
        await controlled.routing.fail(A, CONFIG.consecutive_failures)
        controlled.routing.clock.advance(CONFIG.open_duration_us)
        probe = await controlled.routing.take(Leaf(A))
        assert probe.admitted.probe
        await controlled.control.force(A, CircuitState.OPEN)
        forced = (await controlled.report()).circuit

        probe.end(outcome)
        assert (await controlled.report()).circuit == forced
        await controlled.control.force(A, None)
        late = await controlled.routing.take(Leaf(A))

        assert late.admitted.probe
        assert (await controlled.report()).circuit.state is CircuitState.HALF_OPEN

    async def test_closing_a_half_open_circuit_lets_its_probe_be_forgotten(self, controlled: Controlled) -> None:
        await controlled.routing.fail(A, CONFIG.consecutive_failures)
        controlled.routing.clock.advance(CONFIG.open_duration_us)
        probe = await controlled.routing.take(Leaf(A))
        await controlled.control.force(A, CircuitState.CLOSED)
        await controlled.control.force(A, None)

        probe.end(Outcome.FAILURE)

        assert await controlled.exclusion() is None
        assert (await controlled.report()).circuit == CircuitReport(reason="forced")
        moves = [event.transition for event in controlled.routing.events.circuits]
        assert (moves[-1].before, moves[-1].after) == (CircuitState.HALF_OPEN, CircuitState.CLOSED)

    async def test_what_was_admitted_before_it_was_forced_tells_nothing_afterwards(
        self, controlled: Controlled
    ) -> None:
        stale = [await controlled.routing.take(Leaf(A)) for _ in range(CONFIG.consecutive_failures)]
        for wish in (CircuitState.OPEN, CircuitState.CLOSED, None):
            await controlled.control.force(A, wish)

        for held in stale:
            held.end(Outcome.FAILURE)
            await controlled.arrive()

        report = await controlled.report()
        assert (report.circuit, report.in_flight) == (CircuitReport(reason="forced"), 0)

    async def test_a_circuit_forced_closed_starts_anew_when_outcomes_decide_again(self, controlled: Controlled) -> None:
        nearly = CONFIG.consecutive_failures - 1
        await controlled.routing.fail(A, nearly)
        await controlled.control.force(A, CircuitState.CLOSED)
        await controlled.routing.fail(A, nearly)
        await controlled.arrive()
        await controlled.control.force(A, None)

        await controlled.routing.fail(A, nearly)
        assert (await controlled.report()).circuit == CircuitReport()
        await controlled.routing.fail(A, 1)
        assert (await controlled.report()).circuit.state is CircuitState.OPEN

    async def test_a_circuit_forced_closed_forgets_the_calls_before(self, controlled: Controlled) -> None:
        for number in range(CONFIG.minimum_calls - 1):
            outcome = Outcome.SUCCESS if number % 3 == 2 else Outcome.FAILURE
            (await controlled.routing.take(Leaf(A))).end(outcome)
        await controlled.arrive()
        await controlled.control.force(A, CircuitState.CLOSED)
        await controlled.control.force(A, None)

        await controlled.routing.fail(A, 1)

        assert (await controlled.report()).circuit == CircuitReport()

    async def test_earlier_openings_are_forgotten_by_forcing_it_closed(self, controlled: Controlled) -> None:
        await controlled.routing.fail(A, CONFIG.consecutive_failures)
        controlled.routing.clock.advance(CONFIG.open_duration_us)
        await controlled.routing.fail(A, 1)
        await controlled.arrive()
        await controlled.control.force(A, CircuitState.CLOSED)
        await controlled.control.force(A, None)

        await controlled.routing.fail(A, CONFIG.consecutive_failures)

        circuit = (await controlled.report()).circuit
        assert circuit.next_probe_at_us == controlled.routing.clock.now_us() + CONFIG.open_duration_us

    async def test_a_drain_and_a_forced_circuit_leave_each_other_alone(self, controlled: Controlled) -> None:
        await controlled.control.drain(A, True)
        await controlled.control.force(A, CircuitState.OPEN)
        await controlled.control.force(A, CircuitState.CLOSED)
        await controlled.control.force(A, None)
        assert (await controlled.report()).drained
        await controlled.control.force(A, CircuitState.CLOSED)

        await controlled.control.drain(A, False)

        assert (await controlled.report()).circuit.forced is CircuitState.CLOSED
        assert await controlled.exclusion() is None
