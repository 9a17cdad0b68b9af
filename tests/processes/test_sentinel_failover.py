"""A primary under a Sentinel is killed while it is used, and comes back as a replica of the one that took its place.

It comes back at once, as a supervised process does, and is a primary beside the other until the Sentinel has seen
to it. What gateways wrote there meanwhile is lost. They notice, and a hard budget is then counted again before it
admits.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually
from tests.processes.trial import UNAVAILABLE, Fault, Trial, running_trial
from tests.servers.cluster_moves import is_primary
from tests.servers.postgres_servers import PostgresServer
from tests.servers.redis_servers import RedisServer
from tests.servers.sentinel_group import SentinelGroup

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.long]


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentinelGroup]:
    with contextlib.ExitStack() as stack:
        yield SentinelGroup(stack, tmp_path_factory.mktemp("sentinel"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def trial(
    upstream: ScriptedUpstream, group: SentinelGroup, database: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Trial]:
    folder = tmp_path_factory.mktemp("failover")
    async with running_trial(folder, upstream, group.primary, database.url, store_url=group.url) as running:
        yield running


async def test_a_primary_that_is_killed_under_a_sentinel_costs_no_call_its_row(
    trial: Trial, group: SentinelGroup
) -> None:
    async def strike() -> float:
        await asyncio.to_thread(group.primary.kill)
        await eventually(lambda: is_primary(group.replica), within_s=15, what="the replica is the primary")
        ended_s = time.monotonic()
        await asyncio.to_thread(group.primary.start)
        return ended_s

    async def settled() -> None:
        await eventually(lambda: _is_replica(group.primary), within_s=30, what="the old primary is a replica")
        await asyncio.sleep(2)  # each gateway looks four times a second whether something was lost

    await trial.endures(
        Fault("Sentinel failover: the primary killed", strike, frozenset({UNAVAILABLE}), settled=settled)
    )


def _is_replica(server: RedisServer) -> bool:
    return not is_primary(server)
