"""Things that happened and that someone may want to hear of."""

from dataclasses import dataclass

from domain.identifiers import InstanceId
from domain.resilience.circuit_breaker import Transition


@dataclass(frozen=True, slots=True)
class CircuitChanged:
    """The circuit of an instance opened, half-opened or closed."""

    instance_id: InstanceId
    transition: Transition


Event = CircuitChanged
