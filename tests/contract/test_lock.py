import pytest

from adapters.outbound.memory.lock import MemoryLock
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.lock import RedisLock
from adapters.testing.lock_contract import TTL_US, YEAR_US, LockContract
from adapters.testing.virtual_time import EPOCH_US, ManualClock
from application.ports.lock import Lock

DAY_MS = 86_400_000


@pytest.fixture
def clock() -> ManualClock:
    # Digits to the last place: a script that loses some shows.
    return ManualClock(EPOCH_US + 123_457)


class TestMemoryLock(LockContract):
    @pytest.fixture
    def lock(self, clock: ManualClock) -> Lock:
        return MemoryLock(clock)


class TestRedisLock(LockContract):
    @pytest.fixture
    def lock(self, redis_executor: RedisExecutor, redis_prefix: str, clock: ManualClock) -> Lock:
        return RedisLock(redis_executor, redis_prefix, lambda: str(clock.now_us()))

    async def test_every_step_leaves_the_key_with_a_time_to_live(
        self, lock: Lock, redis_executor: RedisExecutor, redis_prefix: str
    ) -> None:
        key = f"{redis_prefix}{{lock:job}}"

        await lock.acquire("job", "first", TTL_US)
        assert DAY_MS - 60_000 < await redis_executor.command("PTTL", key) <= DAY_MS
        await lock.extend("job", "first", YEAR_US)
        assert 365 * DAY_MS < await redis_executor.command("PTTL", key) <= 366 * DAY_MS
        await lock.release("job", "first")
        assert await redis_executor.command("PTTL", key) > 0

    async def test_the_time_of_the_server_serves_in_production(
        self, redis_executor: RedisExecutor, redis_prefix: str
    ) -> None:
        lock = RedisLock(redis_executor, redis_prefix)
        year_2020_us, year_2200_us = 1_577_836_800_000_000, 7_258_118_400_000_000

        held = await lock.acquire("job", "first", TTL_US)

        assert held is not None
        assert year_2020_us < held.fence < year_2200_us
        assert await lock.extend("job", "first", TTL_US) is True
        assert await lock.release("job", "first") is True
