"""A Cluster changes while it is used: slots go to other nodes, replicas take over, and a node is killed."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually
from tests.processes.trial import UNAVAILABLE, Fault, Trial, running_trial
from tests.servers.cluster_moves import fail_over, is_primary, move_slots, replicated_cluster
from tests.servers.postgres_servers import PostgresServer
from tests.servers.redis_servers import RedisServer, cluster_url, valkey_binary

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.long]

Nodes = tuple[list[RedisServer], list[RedisServer]]


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with replicated_cluster(valkey_binary()) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on_cluster(
    upstream: ScriptedUpstream, nodes: Nodes, database: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Trial]:
    folder, url = tmp_path_factory.mktemp("cluster"), cluster_url([*nodes[0], *nodes[1]])
    async with running_trial(folder, upstream, nodes[0][0], database.url, store_url=url) as running:
        yield running


async def test_slots_that_move_under_load_lose_no_call_and_no_budget_its_sum(on_cluster: Trial, nodes: Nodes) -> None:
    primaries, _ = nodes

    async def strike() -> float:
        for source, target in ((0, 1), (1, 2), (2, 0)):
            moved = await asyncio.to_thread(move_slots, primaries[source], primaries[target], primaries)
            assert moved
        return time.monotonic()

    await on_cluster.endures(Fault("Cluster: all slots in use moved, three times", strike, frozenset({UNAVAILABLE})))


async def test_replicas_that_take_over_in_a_cluster_cost_no_call_its_row(on_cluster: Trial, nodes: Nodes) -> None:
    async def strike() -> float:
        for replica in nodes[1]:
            await asyncio.to_thread(fail_over, replica)
            await asyncio.sleep(0.5)
        return time.monotonic()

    await on_cluster.endures(Fault("Cluster: CLUSTER FAILOVER of all three", strike, frozenset({UNAVAILABLE})))


async def test_a_node_of_a_cluster_that_is_killed_is_replaced_by_its_replica(on_cluster: Trial, nodes: Nodes) -> None:
    primaries, replicas = nodes

    async def strike() -> float:
        await asyncio.to_thread(replicas[0].kill)
        await eventually(lambda: is_primary(primaries[0]), within_s=15, what="its replica has taken over")
        ended_s = time.monotonic()
        await asyncio.to_thread(replicas[0].start)
        return ended_s

    await on_cluster.endures(Fault("Cluster: one primary of three killed", strike, frozenset({UNAVAILABLE})))
