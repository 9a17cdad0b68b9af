"""The rows that usage totals are made of."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Integer, Select, cast, false, func, literal, select, union_all

from adapters.outbound.sql.ledger_rows import LEDGER, USAGE_DAYS
from adapters.outbound.sql.usage_where import between, fields_of, in_ledger
from application.ports.usage_reports import GroupBy, UsageFilter
from domain.durations import SECOND_US
from domain.usage_days import UsageSums, split_by_day

_COLUMNS: Mapping[GroupBy, str] = MappingProxyType(
    {
        GroupBy.KEY: "key_id",
        GroupBy.USER: "user_id",
        GroupBy.TEAM: "team_id",
        GroupBy.MODEL: "model_asked",
        GroupBy.INSTANCE: "instance_id",
    }
)


def parts_of(asked: UsageFilter, group_by: GroupBy, dialect: str) -> Select[Any] | CompoundSelect[Any]:
    """Rows of a `group` and what to add to its sums; with `request_id` where distinct ones are to be counted."""
    group = _group_in_ledger(group_by, dialect)
    if group_by is GroupBy.INSTANCE or asked.instance is not None:
        return select(group, *_sums_in_ledger(), LEDGER.c.request_id).where(*in_ledger(asked))
    if asked.request_id is not None:
        return select(group, *_sums_in_ledger()).where(*in_ledger(asked))
    return union_all(*_days_and_edges(asked, group_by, group))


def _days_and_edges(asked: UsageFilter, group_by: GroupBy, group: ColumnElement[str]) -> Iterator[Select[Any]]:
    split = split_by_day(asked.from_us or 0, asked.to_us)
    column = USAGE_DAYS.c[_COLUMNS.get(group_by, "day")].label("group")
    days = select(column, *(USAGE_DAYS.c[name] for name in UsageSums._fields)).where(*fields_of(asked, USAGE_DAYS))
    yield days.where(false() if split.days is None else USAGE_DAYS.c.day.between(*split.days))
    for from_us, to_us in split.edges:
        yield select(group, *_sums_in_ledger()).where(*fields_of(asked, LEDGER), *between(from_us, to_us))


def _sums_in_ledger() -> Iterator[ColumnElement[Any]]:
    yield cast(LEDGER.c.first, Integer).label("requests")
    yield literal(1).label("attempts")
    for name in UsageSums._fields[2:]:
        yield LEDGER.c[name]


def _group_in_ledger(group_by: GroupBy, dialect: str) -> ColumnElement[str]:
    if group_by is not GroupBy.DAY:
        return func.coalesce(LEDGER.c[_COLUMNS[group_by]], "").label("group")
    seconds = LEDGER.c.at_us // SECOND_US
    if dialect == "postgresql":
        return func.to_char(func.timezone("UTC", func.to_timestamp(seconds)), "YYYY-MM-DD").label("group")
    return func.date(seconds, "unixepoch").label("group")
