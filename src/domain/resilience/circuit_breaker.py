"""The circuit breaker of one instance."""

from dataclasses import dataclass
from enum import StrEnum


class CircuitState(StrEnum):
    """CLOSED lets everything through, OPEN nothing, HALF_OPEN a few probes."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Transition:
    """A circuit changed state."""

    before: CircuitState
    after: CircuitState
    reason: str
    at_us: int
