"""The ledger on databases that refuse, fail, and have several writers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.outbound.sql.connection import SqlDatabase
from adapters.outbound.sql.ledger import SqlLedger
from adapters.outbound.sql.ledger_rows import LEDGER, row_of
from adapters.outbound.sql.limits import Limits
from adapters.outbound.sql.schema import upgrade
from adapters.outbound.sql.usage_reports import SqlUsageReports
from adapters.testing.ledger_contract import used
from adapters.testing.ledger_spent_contract import period
from application.errors import StateUnavailable
from application.ports.ledger import LedgerRefused
from application.ports.usage_reports import GroupBy, UsageFilter
from domain.usage_record import UsageRecord
from tests.servers.databases import empty_ledger
from tests.servers.postgres_servers import postgres


@pytest.fixture
async def on_postgres(postgres_url: str) -> AsyncIterator[AsyncEngine]:
    async with empty_ledger(postgres_url) as engine:
        yield engine


@pytest.fixture
async def on_sqlite(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    async with empty_ledger(f"sqlite:///{tmp_path}/ledger.db") as engine:
        yield engine


async def run(engine: AsyncEngine, statement: str) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(statement))


async def two_waiting(engine: AsyncEngine) -> None:
    """Until two statements wait for locks."""
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    async with asyncio.timeout(20), engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        while (await connection.execute(waiting)).scalar_one() < 2:  # noqa: ASYNC110 - a database tells nobody who waits
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "refused",
    [used(1, model_asked="a\x00b"), used(1, attempt=2**31), used(1, status=2**31), used(1, model_asked="x" * 10**6)],
    ids=["nul", "attempt", "status", "too long for an index"],
)
async def test_what_postgres_refuses_is_refused_and_the_connection_goes_on(
    on_postgres: AsyncEngine, refused: UsageRecord
) -> None:
    ledger = SqlLedger(on_postgres)

    with pytest.raises(LedgerRefused, match=r"^the database refuses a record: [^\n]+$"):
        await ledger.insert([refused, used(2)])

    assert await ledger.insert([used(2)]) == 1


async def test_writers_of_the_same_sums_in_any_order_do_not_deadlock(on_postgres: AsyncEngine) -> None:
    ledger = SqlLedger(on_postgres)
    groups = [f"k-{number:03}" for number in range(150)]

    def batch(of: int) -> list[UsageRecord]:
        ordered = groups if of % 2 else groups[::-1]
        return [used(of * 1_000 + number, key_id=key) for number, key in enumerate(ordered)]

    inserted = await asyncio.gather(*(ledger.insert(batch(of)) for of in range(24)))

    assert inserted == [150] * 24
    totals = await SqlUsageReports(on_postgres).totals(UsageFilter(), GroupBy.KEY, 1_000)
    assert [(each.group, each.attempts) for each in totals.items] == [(key, 24) for key in groups]


async def test_writers_of_the_same_rows_in_any_order_do_not_deadlock(on_postgres: AsyncEngine) -> None:
    ledger = SqlLedger(on_postgres)
    records = [used(number, key_id=f"k-{number % 11}") for number in range(300)]

    async with on_postgres.connect() as other:
        # Somebody holds a row in the middle: both writers get there, from whichever side, and wait.
        middle = LEDGER.insert().values(dict(zip(LEDGER.columns.keys(), row_of(records[150]), strict=True)))
        await other.execute(middle)
        writers = [asyncio.ensure_future(ledger.insert(batch)) for batch in (records, records[::-1])]
        await two_waiting(on_postgres)
        await other.rollback()
        inserted = await asyncio.gather(*writers)

    assert sorted(inserted) == [0, 300]
    totals = await SqlUsageReports(on_postgres).totals(UsageFilter(), GroupBy.TEAM, 10)
    assert [(each.attempts, each.cost_nano) for each in totals.items] == [(300, 300_000)]


@pytest.mark.parametrize("table", ["ledger", "usage_days"])
async def test_a_table_that_is_not_there_is_no_fault_of_the_records(on_sqlite: AsyncEngine, table: str) -> None:
    await run(on_sqlite, f"DROP TABLE {table}")

    with pytest.raises(StateUnavailable):
        await SqlLedger(on_sqlite).insert([used(1)])


async def test_a_sum_that_fails_leaves_no_row(on_sqlite: AsyncEngine) -> None:
    ledger = SqlLedger(on_sqlite)
    await run(on_sqlite, "ALTER TABLE usage_days RENAME TO elsewhere")
    with pytest.raises(StateUnavailable):
        await ledger.insert([used(1)])
    await run(on_sqlite, "ALTER TABLE elsewhere RENAME TO usage_days")

    assert await ledger.known(["r-00001:1"]) == frozenset()
    assert await ledger.insert([used(1)]) == 1


async def test_a_full_disk_is_no_fault_of_the_records(tmp_path: Path) -> None:
    async with aclosing(SqlDatabase(f"sqlite:///{tmp_path}/full.db")) as database:
        await upgrade(database.engine)
        async with database.engine.connect() as connection:
            pages = (await connection.execute(text("PRAGMA page_count"))).scalar_one()
            await connection.execute(text(f"PRAGMA max_page_count = {pages}"))
        with pytest.raises(StateUnavailable):
            await SqlLedger(database.engine).insert([used(number) for number in range(1_000)])


async def test_another_writer_that_does_not_end_makes_sqlite_unavailable(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/busy.db"
    async with aclosing(SqlDatabase(url, Limits(command_us=20_000))) as database:
        await upgrade(database.engine)
        async with database.engine.connect() as other:
            await other.exec_driver_sql("BEGIN IMMEDIATE")
            with pytest.raises(StateUnavailable):
                await SqlLedger(database.engine).insert([used(1)])
            await other.rollback()

        assert await SqlLedger(database.engine).insert([used(1)]) == 1


async def test_a_postgres_that_died_is_unavailable_and_has_what_it_took_when_it_is_back() -> None:
    with postgres() as server:
        async with aclosing(SqlDatabase(server.url)) as database:
            await upgrade(database.engine)
            ledger, reports = SqlLedger(database.engine), SqlUsageReports(database.engine)
            await ledger.insert([used(1)])
            server.kill()
            for ask in (
                lambda: ledger.insert([used(2)]),
                lambda: ledger.known(["r-00001:1"]),
                lambda: ledger.spent([period("key:k-1")], ()),
                lambda: reports.records(UsageFilter(), 1),
                lambda: reports.totals(UsageFilter(), GroupBy.DAY, 1),
            ):
                with pytest.raises(StateUnavailable):
                    await ask()

            server.start_again()

            assert await ledger.insert([used(1), used(2)]) == 1
            assert (await ledger.spent([period("key:k-1")], ())).nano == {"key:k-1": 2_000}
