import pytest

from adapters.testing.instance_control_support import Controlled
from adapters.testing.routing.harness import CONFIG, A, B
from domain.durations import SECOND_US
from domain.resilience.circuit_breaker import CircuitState
from domain.resilience.outcome import Outcome
from domain.routing.decision import Exclusion
from domain.routing.strategy import Leaf

# With all its digits: a store that rounds times is found out.
ODD_US = SECOND_US + 234_567
HALF_OPENED = (CircuitState.OPEN, CircuitState.HALF_OPEN, "health_check")


class CheckedCircuitContract:
    """What a passing health check does to circuits: a part of `InstanceControlContract`."""

    async def open(self, controlled: Controlled) -> None:
        """The circuit of A has just opened."""
        await controlled.routing.fail(A, CONFIG.consecutive_failures)
        await controlled.arrive()

    async def test_a_check_half_opens_an_open_circuit_for_every_gateway(self, controlled: Controlled) -> None:
        await self.open(controlled)
        assert await controlled.exclusion() is Exclusion.CIRCUIT_OPEN

        await controlled.control.half_open(A)

        assert (await controlled.report()).circuit.state is CircuitState.HALF_OPEN
        for _ in range(CONFIG.half_open_probes):
            assert (await controlled.other_routing.take(Leaf(A))).admitted.probe
        assert await controlled.exclusion() is Exclusion.PROBES_IN_FLIGHT

    async def test_only_real_successes_close_what_a_check_half_opened(self, controlled: Controlled) -> None:
        await self.open(controlled)
        for _ in range(3 * CONFIG.probes_to_close):
            await controlled.control.half_open(A)
        assert (await controlled.report()).circuit.state is CircuitState.HALF_OPEN

        for _ in range(CONFIG.probes_to_close):
            (await controlled.routing.take(Leaf(A))).end()
            await controlled.arrive()

        assert (await controlled.report()).circuit.state is CircuitState.CLOSED

    async def test_a_probe_that_fails_after_a_check_opens_it_for_longer(self, controlled: Controlled) -> None:
        await self.open(controlled)
        controlled.routing.clock.advance(ODD_US)
        await controlled.control.half_open(A)

        (await controlled.routing.take(Leaf(A))).end(Outcome.FAILURE)

        circuit = (await controlled.report()).circuit
        assert (circuit.state, circuit.reason) == (CircuitState.OPEN, "probe_failed")
        assert circuit.next_probe_at_us == controlled.routing.clock.now_us() + 2 * CONFIG.open_duration_us

    async def test_a_circuit_whose_time_has_come_is_half_opened_as_well(self, controlled: Controlled) -> None:
        await self.open(controlled)
        controlled.routing.clock.advance(CONFIG.open_duration_us + SECOND_US)

        await controlled.control.half_open(A)

        circuit = (await controlled.report()).circuit
        assert (circuit.state, circuit.reason) == (CircuitState.HALF_OPEN, "health_check")

    async def test_a_check_leaves_a_closed_circuit_alone(self, controlled: Controlled) -> None:
        await controlled.routing.fail(A, CONFIG.consecutive_failures - 1)
        before = await controlled.report()

        await controlled.control.half_open(A)
        await controlled.control.half_open(B)

        assert await controlled.report() == before
        await self.open_by_one_more(controlled)

    async def open_by_one_more(self, controlled: Controlled) -> None:
        """The failures before were not forgotten."""
        await controlled.routing.fail(A, 1)
        assert (await controlled.report()).circuit.state is CircuitState.OPEN

    async def test_a_check_takes_no_probe_from_a_half_open_circuit(self, controlled: Controlled) -> None:
        await self.open(controlled)
        controlled.routing.clock.advance(CONFIG.open_duration_us)
        probes = [await controlled.routing.take(Leaf(A)) for _ in range(CONFIG.half_open_probes)]

        await controlled.control.half_open(A)

        assert await controlled.exclusion() is Exclusion.PROBES_IN_FLIGHT
        for probe in probes:
            probe.end(Outcome.FAILURE)
        assert (await controlled.report()).circuit.state is CircuitState.OPEN

    @pytest.mark.parametrize("state", [CircuitState.OPEN, CircuitState.CLOSED])
    async def test_a_check_leaves_what_an_operator_forced(self, controlled: Controlled, state: CircuitState) -> None:
        await self.open(controlled)
        await controlled.control.force(A, state)
        before = await controlled.report()

        await controlled.control.half_open(A)

        assert await controlled.report() == before

    async def test_a_check_that_half_opens_is_announced_once(self, controlled: Controlled) -> None:
        await self.open(controlled)
        controlled.routing.clock.advance(SECOND_US)

        await controlled.other_control.half_open(A)
        await controlled.other_control.half_open(A)

        (event,) = controlled.other_routing.events.circuits
        moved = event.transition
        assert (event.instance_id, moved.at_us) == (A.id, controlled.routing.clock.now_us())
        assert (moved.before, moved.after, moved.reason) == HALF_OPENED
        assert len(controlled.routing.events.circuits) == 1
