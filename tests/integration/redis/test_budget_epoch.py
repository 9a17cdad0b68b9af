"""What really happens to servers raises the epoch, once each: emptied, restarted, replaced, one of several."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import redis

from adapters.outbound.redis.budget_epoch import RedisBudgetEpochs
from adapters.outbound.redis.connection import connect
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.lua_scripts import all_scripts
from adapters.outbound.redis.store_breaker import StoreBreaker
from adapters.outbound.system.clock import SystemClock
from application.errors import StateUnavailable
from tests.integration.redis.test_acl import acl_line
from tests.servers.fixtures import PATIENT
from tests.servers.redis_servers import cluster, cluster_url, standalone, valkey_binary


@asynccontextmanager
async def gateways(url: str, *, known: int = 0) -> AsyncIterator[list[RedisBudgetEpochs]]:
    """Two of them, each with connections of its own."""
    executors = [
        RedisExecutor(connect(url, PATIENT), all_scripts(), PATIENT, StoreBreaker(SystemClock())) for _ in range(2)
    ]
    try:
        for executor in executors:
            await executor.load()
        yield [RedisBudgetEpochs(executor, "p:", known=known) for executor in executors]
    finally:
        for executor in executors:
            await executor.aclose()


async def numbers(of: list[RedisBudgetEpochs]) -> set[int]:
    """What they say, asked at once and once more."""
    both = [await asyncio.gather(*(epochs.epoch() for epochs in of)) for _ in range(2)]
    return {epoch.number for said in both for epoch in said}


async def test_a_store_that_is_emptied_raises_the_epoch_once() -> None:
    with standalone(valkey_binary()) as server, redis.Redis(port=server.port) as client:
        async with gateways(server.url) as both:
            assert await numbers(both) == {1}
            for loss in (2, 3):
                client.flushall()
                assert await numbers(both) == {loss}


@pytest.mark.parametrize(
    ("options", "known"),
    [((), 5), (("--appendonly", "yes", "--appendfsync", "always"), 0)],
    ids=["empty", "from a log"],
)
async def test_a_store_that_is_restarted_raises_the_epoch_once(options: tuple[str, ...], known: int) -> None:
    with standalone(valkey_binary(), *options) as server:
        async with gateways(server.url, known=4) as both:
            assert await numbers(both) == {5}
        server.kill()
        server.start()
        async with gateways(server.url, known=known) as both:
            assert await numbers(both) == {6}


async def test_a_store_that_comes_back_from_a_snapshot_raises_the_epoch() -> None:
    with standalone(valkey_binary()) as server:
        async with gateways(server.url) as both:
            assert await numbers(both) == {1}
        with redis.Redis(port=server.port) as client:
            client.save()
        server.kill()
        server.start()
        async with gateways(server.url) as both:
            assert await numbers(both) == {2}


async def test_a_replica_that_takes_over_raises_the_epoch() -> None:
    with (
        standalone(valkey_binary()) as primary,
        standalone(valkey_binary()) as replica,
        redis.Redis(port=primary.port) as writer,
        redis.Redis(port=replica.port) as successor,
    ):
        successor.replicaof("127.0.0.1", primary.port)
        writer.set("joined", 1)
        assert writer.wait(1, 10_000) == 1
        async with gateways(primary.url) as both:
            assert await numbers(both) == {1}
        writer.set("caught-up", 1)
        assert writer.wait(1, 10_000) == 1
        primary.kill()
        successor.replicaof("NO", "ONE")
        assert successor.dbsize() == 3

        async with gateways(replica.url) as both:
            assert await numbers(both) == {2}


async def test_one_emptied_node_of_a_cluster_raises_the_epoch_of_all_once() -> None:
    with cluster(valkey_binary()) as servers:
        async with gateways(cluster_url(servers)) as both:
            assert await numbers(both) == {1}
            for loss, server in enumerate(servers, start=2):
                with redis.Redis(port=server.port) as client:
                    assert client.dbsize() >= 20
                    client.flushall()
                assert await numbers(both) == {loss}
            async with gateways(cluster_url(servers)) as newcomers:
                assert await numbers(newcomers) == {4}
                assert [(await epochs.epoch()).number for epochs in both] == [4, 4]


async def test_a_look_writes_nothing() -> None:
    with standalone(valkey_binary()) as server, redis.Redis(port=server.port) as client:
        async with gateways(server.url) as both:
            await numbers(both)
            client.config_resetstat()
            await numbers(both)
            ran = client.info("commandstats")
            assert {name for name in ran if ran[name]["calls"]} - {"cmdstat_config|resetstat"} == {
                "cmdstat_evalsha",
                "cmdstat_get",
                "cmdstat_info",
                "cmdstat_time",
            }


async def test_a_user_who_may_not_read_info_is_told_that_the_state_is_unavailable(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with standalone(valkey_binary()) as server, redis.Redis(port=server.port) as client:
        client.execute_command(*(word for word in acl_line() if word != "+info"))
        url = f"redis://gateway:password@127.0.0.1:{server.port}/0"
        executor = RedisExecutor(connect(url, PATIENT), all_scripts(), PATIENT, StoreBreaker(SystemClock()))
        with pytest.raises(StateUnavailable, match="forbids budget/epoch"):
            await RedisBudgetEpochs(executor, "mg:v1:").epoch()
        await executor.aclose()

    assert "needs INFO" in caplog.text
