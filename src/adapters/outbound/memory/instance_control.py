from collections.abc import Sequence

from adapters.outbound.memory.instance_states import InstanceStates
from application.ports.clock import Clock
from application.ports.event_sink import EventSink
from application.ports.instance_control import InstanceControl
from domain.catalog import Instance
from domain.events import CircuitChanged
from domain.resilience.circuit_breaker import Circuit, CircuitState, force, half_open, transition_between
from domain.routing.instance_report import InstanceReport, report_of


class MemoryInstanceControl:
    """Sees and changes the states that this process routes by."""

    def __init__(self, states: InstanceStates, clock: Clock, events: EventSink) -> None:
        self._states = states
        self._clock = clock
        self._events = events

    async def inspect(self, instances: Sequence[Instance]) -> list[InstanceReport]:
        now_us = self._clock.monotonic_us()
        # States live on the monotonic clock; people read the one on the wall.
        epoch_us = self._clock.now_us() - now_us
        return [report_of(self._states.of(instance), now_us, epoch_us) for instance in instances]

    async def drain(self, instance: Instance, drained: bool) -> None:
        self._states.of(instance).drained = drained

    async def force(self, instance: Instance, state: CircuitState | None) -> None:
        now_us = self._clock.monotonic_us()
        self._become(instance, force(self._states.of(instance).circuit, state, now_us), now_us)

    async def half_open(self, instance: Instance) -> None:
        now_us = self._clock.monotonic_us()
        self._become(instance, half_open(self._states.of(instance).circuit, now_us), now_us)

    def _become(self, instance: Instance, circuit: Circuit, now_us: int) -> None:
        mine = self._states.of(instance)
        before, mine.circuit = mine.circuit, circuit
        transition = transition_between(before, circuit, now_us)
        if transition is not None:
            self._events.publish(CircuitChanged(instance.id, transition))


_conforms: type[InstanceControl] = MemoryInstanceControl
