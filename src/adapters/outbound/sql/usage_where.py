"""What a usage filter asks of the ledger and of its sums by day."""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Table

from adapters.outbound.sql.ledger_rows import LEDGER
from application.ports.usage_reports import UsageFilter
from domain.usage_cursor import is_storable

_MAX_INSTANT_US = (1 << 63) - 1


def fields_of(asked: UsageFilter, table: Table) -> Iterator[ColumnElement[bool]]:
    """Its fields but the times."""
    for name, value in _fields(asked).items():
        if value == "" and table.c[name].nullable:
            yield table.c[name].is_(None)
        elif value is not None:
            yield table.c[name] == value


def between(from_us: int | None, to_us: int | None) -> Iterator[ColumnElement[bool]]:
    """Its times."""
    if from_us is not None:
        yield LEDGER.c.at_us >= min(max(from_us, 0), _MAX_INSTANT_US)
    if to_us is not None:
        yield LEDGER.c.at_us < min(max(to_us, 0), _MAX_INSTANT_US)


def in_ledger(asked: UsageFilter) -> Iterator[ColumnElement[bool]]:
    """All of it."""
    yield from fields_of(asked, LEDGER)
    yield from between(asked.from_us, asked.to_us)


def can_match(asked: UsageFilter) -> bool:
    """Whether it can be asked: text that no row can hold is refused by the database even as a question."""
    return all(value is None or is_storable(value) for value in _fields(asked).values())


def _fields(asked: UsageFilter) -> dict[str, str | None]:
    return {
        "request_id": asked.request_id,
        "key_id": asked.key_id,
        "user_id": asked.user_id,
        "team_id": asked.team_id,
        "model_asked": asked.model,
        "instance_id": asked.instance,
    }
