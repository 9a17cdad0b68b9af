"""`moongate worker`: killed, restarted, doubled, and cut off from its database; each record is one row in the end."""

import itertools
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from domain.usage_stream import UsageDepth
from tests.e2e.support import eventually
from tests.e2e.usage_workers import UsageWorkers, exited, own_postgres, usage_workers
from tests.servers.postgres_servers import PostgresServer
from tests.servers.redis_servers import standalone, valkey_binary

RECORDS = 10_000
# What is asked of two idle cores is 2,000; they are shared with whatever else is tested at the same time.
LEAST_PER_S = 1_000
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with standalone(valkey_binary()) as server:
        yield server.url


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with own_postgres() as server:
        yield server


@pytest.fixture
async def workers(redis_url: str, postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[UsageWorkers]:
    async with usage_workers(redis_url, postgres, f"u{next(_numbers)}:", tmp_path) as made:
        yield made


async def test_ten_thousand_records_drain_fast_enough(
    workers: UsageWorkers, record_testsuite_property: Callable[[str, object], None]
) -> None:
    await workers.append(0, RECORDS)
    assert await workers.rows() == 0
    worker = await workers.start()
    began_s = time.monotonic()

    await workers.drained(RECORDS, within_s=30)
    per_s = RECORDS / (time.monotonic() - began_s)
    record_testsuite_property("usage records drained per second", round(per_s))
    print(f"{per_s:.0f} records per second")  # noqa: T201 - what the run is for

    assert per_s >= LEAST_PER_S
    assert await exited(worker, signal.SIGTERM) == 0


async def _some(workers: UsageWorkers) -> bool:
    return await workers.rows() > 0


async def test_what_a_killed_worker_had_goes_to_another(workers: UsageWorkers) -> None:
    await workers.append(0, 1_000)
    async with workers.stuck_inserts():
        victim = await workers.start()
        await workers.somebody_waits()
        victim.kill()
        victim.wait()
    assert (await workers.stream.depth()).pending >= 100
    await workers.all_grow_old()

    await workers.start()

    await workers.drained(1_000, within_s=20)


async def test_a_worker_killed_while_it_works_loses_nothing(workers: UsageWorkers) -> None:
    await workers.append(0, 3_000)
    victims = [await workers.start(), await workers.start()]
    await eventually(lambda: _some(workers), within_s=10, what="the first rows")
    for victim in victims:
        victim.kill()
        victim.wait()
    await workers.all_grow_old()

    await workers.start()

    await workers.drained(3_000, within_s=20)


async def test_a_database_that_crashes_in_the_middle_of_a_batch_is_waited_for(
    workers: UsageWorkers, postgres: PostgresServer
) -> None:
    await workers.append(0, 1_000)
    async with workers.stuck_inserts():
        await workers.start()
        await workers.somebody_waits()
        postgres.kill()
    await workers.append(1_000, 1_000)
    postgres.start_again()

    await workers.drained(2_000, within_s=40)


async def test_two_workers_share_a_stream(workers: UsageWorkers) -> None:
    both = [await workers.start(), await workers.start()]
    await workers.append(0, 3_000)

    await workers.drained(3_000, within_s=20)
    for worker in both:
        assert await exited(worker, signal.SIGTERM) == 0


async def test_a_worker_that_is_told_to_end_finishes_its_batch(workers: UsageWorkers) -> None:
    await workers.append(0, 250)
    async with workers.stuck_inserts():
        worker = await workers.start()
        await workers.somebody_waits()
        worker.send_signal(signal.SIGTERM)
        assert worker.poll() is None

    assert await exited(worker, signal.SIGINT) == 0
    assert await workers.rows() == 100
    assert await workers.stream.depth() == UsageDepth(150, 0, 0)
