from collections.abc import Sequence
from typing import Protocol

from domain.catalog import Instance
from domain.resilience.circuit_breaker import CircuitState
from domain.routing.instance_report import InstanceReport


class InstanceControl(Protocol):
    """What operators see of instances, and what they and health checks may do to them.

    It is the same from every gateway that shares the state.

    Raises StateUnavailable from every method where the shared state can't be reached; nothing was changed then, or the
    change arrived and its answer did not: each is safe to repeat.
    """

    async def inspect(self, instances: Sequence[Instance]) -> list[InstanceReport]:
        """One report for each, in their order. An instance never heard of is healthy and idle."""
        ...

    async def drain(self, instance: Instance, drained: bool) -> None:
        """Takes it out of every plan (True) or back in (False). What is in flight goes on.

        Holds until it is called again, whatever becomes of the gateway that was asked.
        """
        ...

    async def force(self, instance: Instance, state: CircuitState | None) -> None:
        """Forces the circuit OPEN or CLOSED until further notice; None: outcomes decide again.

        A circuit that changes state by it is announced to the event sink.

        Raises:
            ValueError: HALF_OPEN can't be forced.
        """
        ...

    async def half_open(self, instance: Instance) -> None:
        """Half-opens its circuit where that is open, since a health check passed: the next requests probe it.

        One that is closed, half-open or forced stays as it is. A change is announced to the event sink.
        """
        ...
