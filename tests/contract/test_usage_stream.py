import asyncio

import pytest

from adapters.outbound.memory.usage_stream import MemoryUsageStream
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.usage_stream import GROUP, RedisUsageStream
from adapters.testing.dead_usage_contract import DeadUsageContract
from adapters.testing.usage_stream_contract import (
    IDLE_US,
    PassTime,
    StaleUsageContract,
    UsageStreamContract,
    appended,
    delivered,
    ids,
)
from adapters.testing.virtual_time import ManualClock
from application.ports.usage_stream import UsageStream
from domain.usage_stream import UsageDepth
from tests.servers.usage_aging import age_pending


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def redis_stream(executor: RedisExecutor, prefix: str, clock: ManualClock, shards: int = 8) -> RedisUsageStream:
    return RedisUsageStream(executor, prefix, clock, lambda: str(clock.now_us()), shards)


class TestMemoryUsageStream(UsageStreamContract, StaleUsageContract, DeadUsageContract):
    @pytest.fixture
    def usage_stream(self, clock: ManualClock) -> MemoryUsageStream:
        return MemoryUsageStream(clock)

    @pytest.fixture
    def other_stream(self, usage_stream: UsageStream) -> UsageStream:
        return usage_stream

    @pytest.fixture
    def pass_time(self, clock: ManualClock) -> PassTime:
        async def advance(span_us: int) -> None:
            clock.advance(span_us)

        return advance


class TestRedisUsageStream(UsageStreamContract, StaleUsageContract, DeadUsageContract):
    @pytest.fixture
    def usage_stream(self, redis_executor: RedisExecutor, redis_prefix: str, clock: ManualClock) -> RedisUsageStream:
        return redis_stream(redis_executor, redis_prefix, clock)

    @pytest.fixture
    def other_stream(self, redis_executor: RedisExecutor, redis_prefix: str, clock: ManualClock) -> RedisUsageStream:
        return redis_stream(redis_executor, redis_prefix, clock)

    @pytest.fixture
    def pass_time(self, redis_executor: RedisExecutor, usage_stream: RedisUsageStream) -> PassTime:
        async def age(span_us: int) -> None:
            await age_pending(redis_executor, usage_stream, span_us)

        return age


async def test_records_spread_over_the_shards_and_each_has_its_own(
    redis_executor: RedisExecutor, redis_prefix: str, clock: ManualClock
) -> None:
    stream = redis_stream(redis_executor, redis_prefix, clock)

    await appended(stream, 400)

    lengths = [int(await redis_executor.command("XLEN", *stream._keys(shard, "stream"))) for shard in range(8)]
    assert sum(lengths) == 400
    assert min(lengths) > 20


async def test_order_is_kept_within_a_shard(
    redis_executor: RedisExecutor, redis_prefix: str, clock: ManualClock
) -> None:
    stream = redis_stream(redis_executor, redis_prefix, clock, shards=1)
    names = await appended(stream, 20)

    read = [entry.id for _ in range(4) for entry in await stream.read("w", 5, 0)]
    claimed = [entry.id for entry in await stream.claim_stale("w", 0, 20)]
    for entry in await stream.claim_stale("w", 0, 20):
        await stream.dead_letter(entry, "no")
    page, after = await stream.list_dead(12)
    rest, _ = await stream.list_dead(12, after)

    assert read == claimed == [letter.id for letter in (*page, *rest)] == names


async def test_a_server_that_lost_everything_goes_on_empty(
    redis_executor: RedisExecutor, redis_prefix: str, clock: ManualClock
) -> None:
    stream = redis_stream(redis_executor, redis_prefix, clock)
    names = await appended(stream, 20)
    entries = await stream.read("w", 20, 0)
    for shard in range(8):
        for key in stream._keys(shard, "stream", "index", "dead"):
            await redis_executor.command("DEL", key)

    assert await stream.claim_stale("w", 0, 10) == []
    assert await stream.keep("w", names) == []
    assert await stream.acknowledge(names) == 0
    assert not await stream.dead_letter(entries[0], "no")
    assert await stream.depth() == UsageDepth(0, 0, 0)
    assert await appended(stream, 20) == names

    assert ids(await stream.read("w", 20, 0)) == names


async def test_a_lost_group_is_made_again_and_loses_nothing(
    redis_executor: RedisExecutor, redis_prefix: str, clock: ManualClock
) -> None:
    stream = redis_stream(redis_executor, redis_prefix, clock, shards=1)
    names = await appended(stream, 10)
    await stream.read("w", 5, 0)
    await stream.acknowledge(names[:2])
    await redis_executor.command("XGROUP", "DESTROY", *stream._keys(0, "stream"), GROUP)

    assert await stream.claim_stale("w", 0, 10) == []
    assert await stream.depth() == UsageDepth(8, 0, 0)
    assert ids(await stream.read("w", 10, 0)) == names[2:]


async def test_usage_keys_stay_until_they_are_acknowledged(
    redis_executor: RedisExecutor, redis_prefix: str, clock: ManualClock
) -> None:
    stream = redis_stream(redis_executor, redis_prefix, clock, shards=1)
    await appended(stream, 2)
    entry, _ = await stream.read("w", 2, 0)
    await stream.dead_letter(entry, "no")

    left_ms = [await redis_executor.command("PTTL", key) for key in stream._keys(0, "stream", "index", "dead")]
    await stream.discard(entry.id)
    await stream.acknowledge([entry.id, "r-0001:1"])
    sizes = [
        await redis_executor.command(command, key)
        for command, key in zip(("XLEN", "HLEN", "XLEN"), stream._keys(0, "stream", "index", "dead"), strict=True)
    ]

    assert left_ms == [-1, -1, -1]
    assert sizes == [0, 0, 0]


async def test_ten_thousand_records_drain_and_leave_nothing(
    redis_executor: RedisExecutor, redis_prefix: str, clock: ManualClock
) -> None:
    stream = redis_stream(redis_executor, redis_prefix, clock)
    names = set(await appended(stream, 10_000))

    while entries := await stream.read("w", 500, 0):
        batch = [entry.id for entry in entries]
        names -= set(batch)
        assert await stream.acknowledge(batch) == len(batch)

    assert not names
    assert await stream.depth() == UsageDepth(0, 0, 0)


async def test_a_consumer_that_died_leaves_its_records_to_another_gateway(
    redis_executor: RedisExecutor, redis_prefix: str, clock: ManualClock
) -> None:
    dead, alive = (redis_stream(redis_executor, redis_prefix, clock) for _ in range(2))
    await dead.append(b"one", "r-1:1")
    reading = asyncio.ensure_future(delivered(dead, "dead"))
    await reading

    await age_pending(redis_executor, dead, IDLE_US)

    assert [(entry.id, entry.deliveries) for entry in await alive.claim_stale("alive", IDLE_US, 10)] == [("r-1:1", 2)]
