from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.outbound.sql.failures import reading, writing
from adapters.outbound.sql.ledger_rows import LEDGER, USAGE_DAYS, row_of
from adapters.outbound.sql.many_rows import insert_rows
from adapters.outbound.sql.spending import known_among, sums_of
from application.errors import StateUnavailable
from application.ports.ledger import Ledger, LedgerRefused, Spent
from domain.budget.charge import BudgetPeriod
from domain.usage_days import UsageSums, summed
from domain.usage_record import UsageRecord

# Classes of SQLSTATE: data, constraints, program limits (such as text too long for an index).
_OF_THE_DATA = frozenset({"22", "23", "54"})
# Of SQLite: TOOBIG, CONSTRAINT, MISMATCH.
_CODES_OF_THE_DATA = frozenset({18, 19, 20})
_PRIMARY_CODE = 0xFF

_NEW_ONLY = "ON CONFLICT DO NOTHING RETURNING request_id, attempt"
_ADDED = "ON CONFLICT ({}) DO UPDATE SET {}".format(
    ", ".join(column.name for column in USAGE_DAYS.primary_key),
    ", ".join(f"{name} = usage_days.{name} + excluded.{name}" for name in UsageSums._fields),
)


class SqlLedger:
    """The ledger in a database.

    Rows and sums are written in the order of their keys: two that write the same ones wait for each other, never both.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def insert(self, records: Sequence[UsageRecord]) -> int:
        # Reversed: of those with one id the first one stays.
        by_key = {(record.request_id, record.attempt): record for record in reversed(records)}
        if not by_key:
            return 0
        with _refusals():
            rows = [row_of(by_key[key]) for key in sorted(by_key)]
            async with writing(self._engine) as connection:
                new = await insert_rows(connection, LEDGER, rows, _NEW_ONLY)
                sums = summed(by_key[request_id, attempt] for request_id, attempt in new)
                await insert_rows(connection, USAGE_DAYS, [(*day, *sums[day]) for day in sorted(sums)], _ADDED)
        return len(new)

    async def known(self, record_ids: Collection[str]) -> frozenset[str]:
        if not record_ids:
            return frozenset()
        async with reading(self._engine) as connection:
            return await known_among(connection, record_ids)

    async def spent(self, periods: Sequence[BudgetPeriod], among: Collection[str]) -> Spent:
        async with _one_snapshot(self._engine) as connection:
            nano = await sums_of(connection, periods)
            return Spent(nano, await known_among(connection, among))


@asynccontextmanager
async def _one_snapshot(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection whose statements all see the same state."""
    async with reading(engine) as connection:
        if engine.dialect.name == "sqlite":
            await connection.exec_driver_sql("BEGIN")
        else:
            await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        yield connection


@contextmanager
def _refusals() -> Iterator[None]:
    """Whether it was the records, or something else that lasts: a table that isn't there is no record's fault."""
    try:
        yield
    except (DBAPIError, ValueError, OverflowError) as error:
        if not _is_of_the_data(error):
            raise StateUnavailable("the ledger can't be written; is its database upgraded?") from error
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        raise LedgerRefused(f"the database refuses a record: {reason}") from error


def _is_of_the_data(error: Exception) -> bool:
    if not isinstance(error, DBAPIError):
        return True
    if isinstance(error, IntegrityError) or isinstance(getattr(error.orig, "__cause__", None), ValueError):
        return True
    if (getattr(error.orig, "sqlstate", None) or "")[:2] in _OF_THE_DATA:
        return True
    return getattr(error.orig, "sqlite_errorcode", 0) & _PRIMARY_CODE in _CODES_OF_THE_DATA


_conforms: type[Ledger] = SqlLedger
