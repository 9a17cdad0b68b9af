"""Two gateways under a steady load lose their Redis in every way it can be lost, and get it back.

Each way has a model of its own, so that what Redis has counted can be compared with what was sent.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
import pytest_asyncio

from tests.e2e.fleet import Fleet, running_fleet
from tests.e2e.gateway_process import instance
from tests.e2e.outage_fleet import outage_document
from tests.e2e.outage_trial import endures
from tests.e2e.outages import DURABLE, EMPTIED, FROZEN, FULL, KILLED, PAUSED, RESTARTED, Outage
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.servers.redis_servers import RedisServer, standalone, valkey_binary

pytestmark = pytest.mark.asyncio(loop_scope="module")

OUTAGES = (FROZEN, PAUSED, FULL, KILLED, EMPTIED, RESTARTED)
LONGER = (
    replace(EMPTIED, name="emptied-after-a-minute", lasts_s=65.0),
    replace(FROZEN, name="frozen-for-longer-than-a-lease", lasts_s=35.0),
)


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with standalone(valkey_binary(), *DURABLE) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(
    upstream: ScriptedUpstream, server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Fleet]:
    models = [
        instance(outage.name, upstream.base_url, rpm=1_000_000, max_parallel=1_000) for outage in OUTAGES + LONGER
    ]
    async with running_fleet(outage_document(server.url, models), 2, tmp_path_factory.mktemp("outage")) as running:
        yield running


@pytest.mark.parametrize(
    "outage",
    [*OUTAGES, *(pytest.param(outage, marks=pytest.mark.long) for outage in LONGER)],
    ids=lambda outage: outage.name,
)
async def test_fleet_serves_through_an_outage_and_counts_everything_once(
    fleet: Fleet, server: RedisServer, upstream: ScriptedUpstream, outage: Outage
) -> None:
    await endures(fleet, server, upstream, outage)
