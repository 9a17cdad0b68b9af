from dataclasses import replace

import pytest

from adapters.outbound.memory.instance_control import MemoryInstanceControl
from adapters.outbound.memory.instance_states import InstanceStates
from adapters.outbound.memory.routing import MemoryRouting
from adapters.testing.doubles import SpyEventSink
from adapters.testing.instance_control_contract import Controlled, InstanceControlContract
from adapters.testing.routing.harness import CONFIG, A, RoutingHarness
from adapters.testing.virtual_time import ManualClock
from domain.resilience.circuit_breaker import CircuitState


class TestMemoryInstanceControl(InstanceControlContract):
    @pytest.fixture
    def controlled(self) -> Controlled:
        clock, events, states = ManualClock(), SpyEventSink(), InstanceStates()
        routing = RoutingHarness(MemoryRouting(CONFIG, clock, events, states), clock, events)
        return Controlled(MemoryInstanceControl(states, clock, events), routing)


class SkewedClock(ManualClock):
    """Its monotonic clock began an hour after the epoch did, as those of real machines do."""

    def monotonic_us(self) -> int:
        return self.now_us() - 3_600_000_000


async def test_times_are_told_by_the_clock_on_the_wall() -> None:
    clock = SkewedClock()
    control = MemoryInstanceControl(InstanceStates(), clock, SpyEventSink())

    await control.force(A, CircuitState.OPEN)
    await control.force(replace(A), None)

    (report,) = await control.inspect([A])
    assert report.circuit.opened_at_us == clock.now_us()
    assert report.circuit.next_probe_at_us == clock.now_us()
