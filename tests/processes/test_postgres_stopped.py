"""Postgres is stopped at once under load, and comes back."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.processes.trial import Fault, Trial, running_trial
from tests.servers.postgres_servers import PostgresServer
from tests.servers.redis_servers import RedisServer, standalone, valkey_binary

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.long]


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with standalone(valkey_binary()) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def trial(
    upstream: ScriptedUpstream, server: RedisServer, database: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Trial]:
    async with running_trial(tmp_path_factory.mktemp("postgres"), upstream, server, database.url) as running:
        yield running


@pytest.mark.parametrize("lasts_s", [3.0, 10.0])
async def test_a_postgres_that_is_stopped_at_once_costs_nobody_an_answer_and_no_call_its_row(
    trial: Trial, database: PostgresServer, lasts_s: float
) -> None:
    async def strike() -> float:
        await asyncio.to_thread(database.kill)  # what `pg_ctl stop -m immediate` sends
        await asyncio.sleep(lasts_s)
        await asyncio.to_thread(database.start_again)
        return time.monotonic()

    await trial.endures(Fault(f"Postgres stopped at once for {lasts_s:.0f} s", strike))
