"""Events as they are kept for people to read: flat, in one stream for each of their kinds."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from types import MappingProxyType

from domain.events import BudgetDrifted, BudgetReached, CircuitChanged, Event, UsageRecorded
from domain.usage_record import UsageRecord

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
    """The event in words. Money is in nano-dollars."""
    stream, kind, fields = _said(event)
    return EventRecord(stream, kind, now_us, MappingProxyType({name: str(value) for name, value in fields.items()}))


def _said(event: Event) -> tuple[EventStream, str, Mapping[str, object]]:
    match event:
        case CircuitChanged(instance_id, transition):
            fields: dict[str, object] = {
                "instance_id": instance_id,
                "before": transition.before.value,
                "after": transition.after.value,
                "reason": transition.reason,
            }
            return EventStream.CIRCUIT, "circuit_changed", fields
        case BudgetReached(account, crossing):
            fields = {
                "account": account,
                "budget": crossing.budget,
                "period": crossing.period_id,
                "percent": crossing.percent,
                "hard": crossing.hard,
            }
            return EventStream.BUDGET, "budget_reached", fields
        case BudgetDrifted(account, budget, period_id, counted_nano, ledger_nano):
            fields = {
                "account": account,
                "budget": budget,
                "period": period_id,
                "counted_nano": counted_nano,
                "ledger_nano": ledger_nano,
            }
            return EventStream.BUDGET, "budget_drifted", fields
        case UsageRecorded(record):
            return EventStream.USAGE, "usage_recorded", _of_usage(record)


def _of_usage(record: UsageRecord) -> Mapping[str, object]:
    return {
        "request_id": record.request_id,
        "attempt": record.attempt,
        "outcome": record.outcome.value,
        "model": record.model_asked,
        "instance_id": record.instance_id or "",
        "account": record.account,
        "input_tokens": record.input_tokens,
        "output_tokens": record.output_tokens,
        "cost_nano": record.cost_nano,
    }


def append(kept: deque[KeptEvent], event: KeptEvent, look_back: int) -> bool:
    """Adds `event` at the end, unless it is among the `look_back` newest already; whether it did.

    The store that owns `kept` changes it within one atomic step.
    """
    newest = islice(reversed(kept), look_back)
    if any(other.event_id == event.event_id for other in newest):
        return False
    kept.append(event)
    return True
