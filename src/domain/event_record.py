"""Events as they are kept for people to read: flat, in one stream for each of their kinds."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from types import MappingProxyType

from domain.events import CircuitChanged, Event

KEPT = 10_000
"""How many events of a stream are kept, or some more."""

LOOK_BACK = 100
"""Among how many of the newest an event that is announced again is searched for."""


class EventStream(StrEnum):
    """What an event is about."""

    USAGE = "usage_events"
    BUDGET = "budget_events"
    CIRCUIT = "circuit_events"


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One event. `at_us` is the wall-clock time at which it was announced, in microseconds since the epoch."""

    stream: EventStream
    kind: str
    at_us: int
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """An event under an id that no other has."""

    event_id: str
    record: EventRecord


def record_of(event: Event, now_us: int) -> EventRecord:
    """The event in words."""
    match event:
        case CircuitChanged(instance_id=instance_id, transition=transition):
            fields = {
                "instance_id": str(instance_id),
                "before": transition.before.value,
                "after": transition.after.value,
                "reason": str(transition.reason),
            }
            return EventRecord(EventStream.CIRCUIT, "circuit_changed", now_us, MappingProxyType(fields))


def append(kept: deque[KeptEvent], event: KeptEvent, look_back: int) -> bool:
    """Adds `event` at the end, unless it is among the `look_back` newest already; whether it did.

    The store that owns `kept` changes it within one atomic step.
    """
    newest = islice(reversed(kept), look_back)
    if any(other.event_id == event.event_id for other in newest):
        return False
    kept.append(event)
    return True
