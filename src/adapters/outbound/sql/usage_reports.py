from typing import Any

from sqlalchemy import ColumnElement, collate, func, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.outbound.sql.failures import reading
from adapters.outbound.sql.ledger_rows import LEDGER, record_of
from adapters.outbound.sql.usage_parts import parts_of
from adapters.outbound.sql.usage_where import can_match, in_ledger
from application.ports.usage_reports import GroupBy, UsageFilter, UsageReports, UsageTotal
from domain.pages import Page
from domain.usage_cursor import group_cursor, group_position, record_cursor, record_position
from domain.usage_days import UsageSums
from domain.usage_record import UsageRecord


class SqlUsageReports:
    """Reports from the ledger of a database and from its sums by day."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        # By code point, whatever the database was made for.
        self._collation = "C" if engine.dialect.name == "postgresql" else "BINARY"

    async def records(self, asked: UsageFilter, limit: int, after: str | None = None) -> Page[UsageRecord]:
        order = (LEDGER.c.at_us, self._by_code_point(LEDGER.c.request_id), LEDGER.c.attempt)
        where = list(in_ledger(asked))
        if after is not None:
            where.append(tuple_(*order) < tuple_(*map(literal, record_position(after))))
        if not can_match(asked):
            return Page(())
        statement = select(LEDGER).where(*where).order_by(*(column.desc() for column in order)).limit(limit + 1)
        async with reading(self._engine) as connection:
            found = [record_of(row._asdict()) for row in await connection.execute(statement)]
        return Page(tuple(found[:limit]), record_cursor(found[limit - 1]) if len(found) > limit else None)

    async def totals(
        self, asked: UsageFilter, group_by: GroupBy, limit: int, after: str | None = None
    ) -> Page[UsageTotal]:
        last = None if after is None else group_position(after)
        if not can_match(asked):
            return Page(())
        parts = parts_of(asked, group_by, self._engine.dialect.name).subquery()
        sums: list[ColumnElement[Any]] = [func.sum(parts.c[name]) for name in UsageSums._fields]
        if "request_id" in parts.c:
            sums[0] = func.count(parts.c.request_id.distinct())
        group = self._by_code_point(parts.c.group)
        statement = select(parts.c.group, *sums).group_by(parts.c.group).order_by(group).limit(limit + 1)
        if last is not None:
            statement = statement.where(group > last)
        async with reading(self._engine) as connection:
            found = [UsageTotal(row[0], *map(int, row[1:])) for row in await connection.execute(statement)]
        return Page(tuple(found[:limit]), group_cursor(found[limit - 1].group) if len(found) > limit else None)

    def _by_code_point(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        return collate(column, self._collation)


_conforms: type[UsageReports] = SqlUsageReports
