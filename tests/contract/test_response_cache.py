from itertools import product

import pytest

from adapters.outbound.memory.response_cache import MemoryResponseCache
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.response_cache import RedisResponseCache
from adapters.testing.cache_fill_contract import FillContract, PurgeContract
from adapters.testing.response_cache_contract import (
    LARGEST_BODY,
    LEASE_US,
    TTL_US,
    ResponseCacheContract,
    filled,
    reply,
)
from adapters.testing.virtual_time import ManualClock
from application.ports.response_cache import ResponseCache
from domain.response_cache import LONGEST_TTL_US, CacheUse, Fill


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


class TestMemoryResponseCache(ResponseCacheContract, FillContract, PurgeContract):
    @pytest.fixture
    def response_cache(self, clock: ManualClock) -> MemoryResponseCache:
        return MemoryResponseCache(clock, max_entry_bytes=LARGEST_BODY)

    @pytest.fixture
    def other_cache(self, response_cache: ResponseCache) -> ResponseCache:
        return response_cache


class TestRedisResponseCache(ResponseCacheContract, FillContract, PurgeContract):
    @pytest.fixture
    def response_cache(
        self, redis_executor: RedisExecutor, redis_prefix: str, clock: ManualClock
    ) -> RedisResponseCache:
        return RedisResponseCache(redis_executor, redis_prefix, lambda: str(clock.now_us()), LARGEST_BODY)

    @pytest.fixture
    def other_cache(self, redis_executor: RedisExecutor, redis_prefix: str, clock: ManualClock) -> RedisResponseCache:
        return RedisResponseCache(redis_executor, redis_prefix, lambda: str(clock.now_us()), LARGEST_BODY)


async def _times_to_live(cache: RedisResponseCache, executor: RedisExecutor) -> dict[str, int]:
    """Milliseconds left of each key that scope t has, -1 for those that stay for ever; absent keys are left out."""
    names = ("entry", "fill", "generation", "counters", "index", "sizes", "uses")
    keys = [*cache._names.of("t", "a", *names), cache._names.epoch, cache._names.scopes]
    found = {
        name: int(await executor.command("PTTL", key))
        for name, key in zip((*names, "epoch", "scopes"), keys, strict=True)
    }
    return {name: left_ms for name, left_ms in found.items() if left_ms != -2}


async def test_every_key_ends_by_itself(redis_executor: RedisExecutor, redis_prefix: str) -> None:
    cache = RedisResponseCache(redis_executor, redis_prefix)
    books_ms = LONGEST_TTL_US // 1_000

    await cache.count("t", {"m": CacheUse(hits=1)})
    fill = await filled(cache, "t", "a")
    held = await _times_to_live(cache, redis_executor)
    await cache.put("t", "a", reply(), TTL_US, fill)
    await cache.get("t", "a")
    stored = await _times_to_live(cache, redis_executor)
    await cache.purge(None)
    purged = await _times_to_live(cache, redis_executor)

    assert held.keys() == {"fill", "generation", "uses", "epoch", "scopes"}
    assert stored.keys() == {"entry", "generation", "counters", "index", "sizes", "uses", "epoch", "scopes"}
    assert 0 < held["fill"] <= LEASE_US // 1_000
    assert 0 < stored["entry"] <= TTL_US // 1_000
    books = [
        left_ms for found in (held, stored, purged) for name, left_ms in found.items() if name not in {"entry", "fill"}
    ]
    assert all(books_ms - 60_000 < left_ms <= books_ms for left_ms in books)


async def test_server_time_is_what_counts_by_default(redis_executor: RedisExecutor, redis_prefix: str) -> None:
    cache = RedisResponseCache(redis_executor, redis_prefix)

    fill = await filled(cache, "t", "a")

    assert 1_600_000_000_000_000 < fill.expires_us < 7_258_118_400_000_000
    assert await cache.put("t", "a", reply(), TTL_US, fill)
    assert await cache.get("t", "a") == reply()


async def test_a_reply_under_a_foreign_scopes_key_is_not_handed_out(
    redis_executor: RedisExecutor, redis_prefix: str
) -> None:
    cache = RedisResponseCache(redis_executor, redis_prefix)
    await cache.put("t", "a", reply(), TTL_US)
    (entry,) = cache._names.of("t", "a", "entry")

    await redis_executor.command("HSET", entry, "scope", "somebody else")

    assert await cache.get("t", "a") is None
    assert isinstance(await cache.acquire_fill("t", "a", "r-1", LEASE_US), Fill)


@pytest.mark.parametrize("lost", ["generation", "epoch"])
async def test_a_purged_reply_does_not_come_back_when_the_server_loses_the_generation(
    redis_executor: RedisExecutor, redis_prefix: str, lost: str
) -> None:
    cache = RedisResponseCache(redis_executor, redis_prefix)
    key = cache._names.epoch if lost == "epoch" else cache._names.of("t", "a", "generation")[0]
    await cache.put("t", "a", reply(), TTL_US)
    await cache.purge("t" if lost == "generation" else None)

    await redis_executor.command("DEL", key)
    assert await cache.get("t", "a") is None
    await cache.put("t", "b", reply(), TTL_US)

    assert await cache.get("t", "a") is None
    assert await cache.get("t", "b") == reply()


async def test_a_purge_of_all_reaches_scopes_that_nobody_remembers(
    redis_executor: RedisExecutor, redis_prefix: str
) -> None:
    cache, other = (RedisResponseCache(redis_executor, redis_prefix) for _ in range(2))
    await cache.put("t", "a", reply(), TTL_US)
    fill = await filled(cache, "t", "b")
    await redis_executor.command("DEL", cache._names.scopes)

    await other.purge(None)

    assert await cache.get("t", "a") is None
    assert not await cache.put("t", "b", reply(), TTL_US, fill)
    assert await cache.get("t", "b") is None
    assert isinstance(await cache.acquire_fill("t", "a", "r-1", LEASE_US), Fill)


async def test_purges_of_all_follow_each_other_in_no_time_without_any_memory_of_scopes(
    redis_executor: RedisExecutor, redis_prefix: str, clock: ManualClock
) -> None:
    cache = RedisResponseCache(redis_executor, redis_prefix, lambda: str(clock.now_us()))
    for _ in range(3):
        await cache.put("t", "a", reply(), TTL_US)
        await redis_executor.command("DEL", cache._names.scopes)

        assert await cache.purge(None) == 0

        assert await cache.get("t", "a") is None


async def test_what_the_server_evicts_is_counted_once(redis_executor: RedisExecutor, redis_prefix: str) -> None:
    cache = RedisResponseCache(redis_executor, redis_prefix)
    await cache.put("t", "a", reply(), TTL_US)
    await redis_executor.command("DEL", *cache._names.of("t", "a", "entry"))

    for _ in range(2):
        assert await cache.get("t", "a") is None

    stats = await cache.stats("t")
    assert (stats.evictions, stats.entries, stats.bytes) == (1, 0, 0)


async def test_memory_lets_the_least_recently_used_make_room(clock: ManualClock) -> None:
    cache = MemoryResponseCache(clock, max_bytes=3 * reply().size_bytes)
    for key in "abc":
        await cache.put("t", key, reply(), TTL_US)
    await cache.get("t", "a")

    await cache.put("u", "d", reply(), TTL_US)

    assert [key for key in "abc" if await cache.get("t", key)] == ["a", "c"]
    assert (await cache.stats("t")).evictions == 1
    assert (await cache.stats()).bytes == 3 * reply().size_bytes


async def test_memory_holds_its_bound_however_much_is_offered(clock: ManualClock) -> None:
    cache = MemoryResponseCache(clock, max_bytes=100_000)

    for number, scope in product(range(2_000), "tuv"):
        fill = await filled(cache, scope, f"k{number}")
        await cache.put(scope, f"k{number}", reply(b"x" * (number % 700)), TTL_US, fill)
        assert (await cache.stats()).bytes <= 100_000

    assert len(cache._expiries) <= 2 * len(cache._entries) + 1_001
    assert not len(cache._fills)
    assert not await cache.put("t", "large", reply(b"x" * 100_000), TTL_US)


async def test_memory_forgets_fills_and_scopes_that_nobody_came_back_for(clock: ManualClock) -> None:
    cache = MemoryResponseCache(clock)
    for number in range(12_000):
        await cache.acquire_fill(f"s{number}", "a", "r-1", LEASE_US)
        clock.advance(LEASE_US // 100)

    assert len(cache._fills) <= 1_000
    assert len(cache._scopes) <= 10_000
