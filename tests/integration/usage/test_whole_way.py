"""From files to rows, with the real adapters on both sides, a step at a time: no clock runs but the test's own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from adapters.outbound.memory.usage_stream import MemoryUsageStream
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.usage_stream import RedisUsageStream
from adapters.outbound.sql.connection import open_engine
from adapters.outbound.sql.ledger import SqlLedger
from adapters.outbound.sql.limits import Limits
from adapters.outbound.sql.schema import upgrade
from adapters.outbound.system.usage_journal import SystemUsageJournal
from adapters.testing.doubles import SeededRandomness
from adapters.testing.ledger_contract import used
from adapters.testing.virtual_time import ManualClock
from application.ports.usage_stream import UsageStream
from application.usage.deliver_usage import DeliverUsage
from application.usage.drain_usage import DrainUsage
from domain.durations import SECOND_US
from domain.usage_stream import UsageDepth

COUNT = 250


class Way:
    """One process between its journal and the ledger."""

    def __init__(self, journal: SystemUsageJournal, stream: UsageStream, ledger: SqlLedger) -> None:
        self.clock = ManualClock()
        self.journal = journal
        self.stream = stream
        self.ledger = ledger
        self.deliver = DeliverUsage(journal, stream, ledger, self.clock, SeededRandomness())
        self.drain = DrainUsage(stream, ledger, self.clock, SeededRandomness(), "w")

    def write(self) -> list[str]:
        records = [used(number) for number in range(COUNT)]
        for record in records:
            self.journal.append_outcome(record)
        return [record.record_id for record in records]

    async def drain_all(self) -> None:
        while await self.drain.drain():
            pass


async def ledger_at(url: str) -> AsyncIterator[SqlLedger]:
    engine = open_engine(url, Limits(connections=2))
    await upgrade(engine)
    async with engine.begin() as connection:
        for table in ("ledger", "usage_days"):
            await connection.execute(text(f"DELETE FROM {table}"))
    yield SqlLedger(engine)
    await engine.dispose()


@pytest.fixture
async def lite(tmp_path: Path) -> AsyncIterator[Way]:
    async for ledger in ledger_at(f"sqlite:///{tmp_path}/moongate.db"):
        yield Way(SystemUsageJournal(tmp_path), MemoryUsageStream(ManualClock()), ledger)


@pytest.fixture
async def full(
    tmp_path: Path, redis_executor: RedisExecutor, redis_prefix: str, postgres_url: str
) -> AsyncIterator[Way]:
    async for ledger in ledger_at(postgres_url):
        yield Way(SystemUsageJournal(tmp_path), RedisUsageStream(redis_executor, redis_prefix, ManualClock()), ledger)


def sizes(folder: Path) -> list[int]:
    return [path.stat().st_size for path in folder.glob("*.journal")]


async def goes_all_the_way(way: Way, tmp_path: Path) -> None:
    ids = way.write()

    await way.deliver.send()
    assert (await way.stream.depth()).waiting == COUNT
    await way.drain_all()
    await way.deliver.confirm()
    assert way.deliver.on_the_way == COUNT
    way.clock.advance(2 * SECOND_US)
    await way.deliver.confirm()

    assert await way.ledger.known(ids) == set(ids)
    assert way.deliver.on_the_way == 0
    assert await way.stream.depth() == UsageDepth(0, 0, 0)
    assert sizes(tmp_path) == [0]
    way.journal.close()


async def test_usage_goes_all_the_way_in_lite_mode(lite: Way, tmp_path: Path) -> None:
    await goes_all_the_way(lite, tmp_path)


async def test_usage_goes_all_the_way_in_full_mode(full: Way, tmp_path: Path) -> None:
    await goes_all_the_way(full, tmp_path)


async def test_a_redis_that_lost_everything_costs_no_record(full: Way, redis_executor: RedisExecutor) -> None:
    ids = full.write()
    await full.deliver.send()
    await full.drain.drain()
    assert isinstance(full.stream, RedisUsageStream)
    for shard in range(8):
        for key in full.stream._keys(shard, "stream", "index", "dead"):
            await redis_executor.command("DEL", key)
    await full.drain_all()
    assert len(await full.ledger.known(ids)) == 100

    for _ in range(10):
        full.clock.advance(2 * SECOND_US)
        await full.deliver.confirm()
    await full.drain_all()
    full.clock.advance(4 * SECOND_US)
    await full.deliver.confirm()

    assert await full.ledger.known(ids) == set(ids)
    assert full.deliver.on_the_way == 0
    full.journal.close()


async def ends_as_a_dead_letter(way: Way) -> None:
    bad = used(1, 2, model_asked="\udc80")
    way.write()
    way.journal.append_outcome(bad)
    await way.deliver.send()
    for _ in range(200):
        await way.drain_all()
        way.clock.advance(SECOND_US)

    (letter,), _ = await way.stream.list_dead(10)
    assert letter.id == bad.record_id
    assert letter.error
    assert not await way.ledger.known([bad.record_id])
    assert await way.stream.depth() == UsageDepth(0, 0, 1)
    way.journal.close()


async def test_a_record_that_sqlite_refuses_ends_as_a_dead_letter(lite: Way) -> None:
    await ends_as_a_dead_letter(lite)


async def test_a_record_that_postgres_refuses_ends_as_a_dead_letter(full: Way) -> None:
    await ends_as_a_dead_letter(full)
