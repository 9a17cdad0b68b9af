"""What budgets have come to, and which records are in the ledger."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Select, Text, any_, func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.outbound.sql.ledger_rows import LEDGER, USAGE_DAYS
from domain.budget.charge import BudgetId, BudgetPeriod
from domain.budget.spending import spender
from domain.usage_days import split_by_day


async def known_among(connection: AsyncConnection, record_ids: Collection[str]) -> frozenset[str]:
    """Which of these are in the ledger."""
    if not record_ids:
        return frozenset()
    wanted = frozenset(record_ids)
    requests = sorted({record_id.rpartition(":")[0] for record_id in wanted})
    found = await connection.execute(select(LEDGER.c.request_id, LEDGER.c.attempt).where(_one_of(connection, requests)))
    return wanted & {f"{request_id}:{attempt}" for request_id, attempt in found}


async def sums_of(connection: AsyncConnection, periods: Sequence[BudgetPeriod]) -> Mapping[BudgetId, int]:
    """What each has come to. Days that lie within a period are read as sums, however many records they had."""
    sums: dict[BudgetId, int] = {}
    for each in periods:
        parts = list(_parts(each))
        found = await connection.execute(union_all(*parts)) if parts else ()
        sums[each.budget] = sum(int(row[0] or 0) for row in found)
    return sums


def _parts(of: BudgetPeriod) -> Iterator[Select[Any]]:
    owner = spender(of.budget)
    split = split_by_day(of.period.starts_us, of.period.ends_us)
    if split.days is not None:
        whole = [USAGE_DAYS.c[name] == (value or "") for name, value in owner.items()]
        yield select(func.sum(USAGE_DAYS.c.cost_nano)).where(*whole, USAGE_DAYS.c.day.between(*split.days))
    for from_us, to_us in split.edges:
        edge = [LEDGER.c[name] == value for name, value in owner.items()]
        yield select(func.sum(LEDGER.c.cost_nano)).where(*edge, LEDGER.c.at_us >= from_us, LEDGER.c.at_us < to_us)


def _one_of(connection: AsyncConnection, requests: Sequence[str]) -> ColumnElement[bool]:
    """One value that holds them all: statements have a bound on how many values they take."""
    if connection.dialect.name == "postgresql":
        return LEDGER.c.request_id == any_(literal(requests, ARRAY(Text)))
    return LEDGER.c.request_id.in_(select(func.json_each(json.dumps(requests)).table_valued("value").c.value))
