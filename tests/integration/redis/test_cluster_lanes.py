"""In a Cluster each node is asked in order, and slots are followed."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from adapters.outbound.redis.cluster_lanes import ClusterLanes
from tests.integration.redis.support import admit_in_turn, count, lines_of, store, turns
from tests.servers.redis_servers import RedisServer, cluster, cluster_url, valkey_binary


@pytest.fixture(scope="module")
def servers() -> Iterator[list[RedisServer]]:
    with cluster(valkey_binary()) as running:
        yield running


def _nodes_of(servers: list[RedisServer], key: str) -> tuple[int, RedisServer, RedisServer]:
    """The slot of `key`, its owner and another node."""
    with redis.Redis(port=servers[0].port) as client:
        slot: int = client.execute_command("CLUSTER", "KEYSLOT", key)
        owner = next(
            port
            for first, last, (_, port, *_), *_ in client.execute_command("CLUSTER", "SLOTS")
            if first <= slot <= last
        )
    where = next(place for place, server in enumerate(servers) if server.port == owner)
    return slot, servers[where], servers[(where + 1) % len(servers)]


def _identity(server: RedisServer) -> str:
    with redis.Redis(port=server.port, decode_responses=True) as client:
        said: str = client.execute_command("CLUSTER", "MYID")
        return said


def _set_slot(server: RedisServer, slot: int, *words: str) -> None:
    with redis.Redis(port=server.port) as client:
        client.execute_command("CLUSTER", "SETSLOT", slot, *words)


async def test_a_slot_is_followed_while_it_migrates_and_when_it_has_moved(
    servers: list[RedisServer], folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key = "{moving}:count"
    slot, owner, other = _nodes_of(servers, key)
    async with store(cluster_url(servers), folder) as running:
        assert await count(running, key) == 1
        with redis.Redis(port=owner.port) as client:
            _set_slot(other, slot, "IMPORTING", _identity(owner))
            _set_slot(owner, slot, "MIGRATING", _identity(other))
            client.execute_command("MIGRATE", "127.0.0.1", other.port, key, 0, 5_000)

        asked = [asyncio.ensure_future(count(running, key)) for _ in range(10)]  # each is told ASK
        assert await asyncio.gather(*asked) == list(range(2, 12))
        for server in (other, owner, *servers):
            _set_slot(server, slot, "NODE", _identity(other))
        moved = [asyncio.ensure_future(count(running, key)) for _ in range(10)]  # each is told MOVED
        assert await asyncio.gather(*moved) == list(range(12, 22))
        known = running.executor._client.nodes_manager.slots_cache[slot]  # type: ignore[union-attr]
        assert known[0].port == other.port
        assert await count(running, key) == 22
        assert not running.breaker.is_open
    assert lines_of(caplog.records) == []


async def test_a_cluster_that_is_not_known_yet_is_asked_in_order(servers: list[RedisServer], folder: Path) -> None:
    async with store(cluster_url(servers), folder) as loaded:
        await loaded.echo("loaded")
    async with store(cluster_url(servers), folder, load=False) as running:
        calls = []
        for number in range(30):
            calls.append(asyncio.ensure_future(count(running, "{t}:unknown")))
            await turns(number % 3)

        assert await asyncio.gather(*calls) == list(range(1, 31))
        assert await running.executor.command("PING") in {True, b"PONG"}


async def test_a_report_has_taken_effect_before_the_next_admission_on_a_cluster(servers: list[RedisServer]) -> None:
    await admit_in_turn(cluster_url(servers), "cluster:")


async def test_the_lane_to_a_node_that_is_gone_is_closed(servers: list[RedisServer], folder: Path) -> None:
    async with store(cluster_url(servers), folder) as running:
        await running.echo("here", "{gone}:k")
        lanes = running.executor._lanes
        assert isinstance(lanes, ClusterLanes)
        nodes = lanes._nodes
        ((name, (node, lane)),) = lanes._lanes.items()
        del nodes.nodes_cache[name]
        await node.disconnect_free_connections()
        assert len([connection for connection in node._connections if connection.is_connected]) == 1

        lanes.refresh()
        await asyncio.wait(lanes._tasks)
        await asyncio.wait(lanes._tasks or [asyncio.ensure_future(asyncio.sleep(0))])

        assert name not in lanes._lanes
        assert not any(connection.is_connected for connection in node._connections)
        assert await running.echo("there", "{gone}:k") == "there"
        assert lanes._lanes[name][1] is not lane
