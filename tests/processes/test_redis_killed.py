"""Redis is killed under load, and comes back with all it had, or with nothing."""

import time
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.e2e.outages import DURABLE, EMPTIED, KILLED, RESTARTED, Outage
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.processes.trial import UNAVAILABLE, Fault, Trial, running_trial
from tests.servers.postgres_servers import PostgresServer
from tests.servers.redis_servers import RedisServer, standalone, valkey_binary

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.long]

NAMES = {
    KILLED: "Redis killed, back with its append-only file after 2 s",
    EMPTIED: "Redis killed, back empty after 2 s",
    RESTARTED: "Redis killed, back empty at once",
}


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with standalone(valkey_binary(), *DURABLE) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def trial(
    upstream: ScriptedUpstream, server: RedisServer, database: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Trial]:
    async with running_trial(tmp_path_factory.mktemp("redis"), upstream, server, database.url) as running:
        yield running


@pytest.mark.parametrize(
    "outage",
    [KILLED, EMPTIED, RESTARTED],
    ids=lambda outage: outage.name,
)
async def test_a_redis_that_is_killed_costs_no_call_its_row_and_no_budget_its_sum(
    trial: Trial, server: RedisServer, outage: Outage
) -> None:
    async def strike() -> float:
        await outage.strike(server)
        return time.monotonic()

    await trial.endures(Fault(NAMES[outage], strike, frozenset({UNAVAILABLE})))
