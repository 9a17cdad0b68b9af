import pytest

from adapters.outbound.memory.health_store import MemoryHealthStore
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.health_store import RedisHealthStore
from adapters.testing.health_store_contract import GPT, WELL, A, B, HealthStoreContract, later
from adapters.testing.virtual_time import EPOCH_US, ManualClock
from application.ports.health_store import HealthStore
from domain.health_report import REPORT_TTL_US

KEPT_MS = 6 * 60_000


@pytest.fixture
def clock() -> ManualClock:
    # Digits to the last place: a script that loses some shows.
    return ManualClock(EPOCH_US + 123_457)


class TestMemoryHealthStore(HealthStoreContract):
    @pytest.fixture
    def health_store(self, clock: ManualClock) -> HealthStore:
        return MemoryHealthStore(clock)


class TestRedisHealthStore(HealthStoreContract):
    @pytest.fixture
    def health_store(self, redis_executor: RedisExecutor, redis_prefix: str, clock: ManualClock) -> HealthStore:
        return RedisHealthStore(redis_executor, redis_prefix, lambda: str(clock.now_us()))

    async def test_its_keys_live_a_minute_longer_than_what_is_in_them(
        self, health_store: HealthStore, redis_executor: RedisExecutor, redis_prefix: str
    ) -> None:
        for number in range(2):
            await health_store.store(A, GPT, later(WELL, number))
            for key in ("{h:a}", "{hm:gpt}"):
                left_ms = await redis_executor.command("PTTL", redis_prefix + key)
                assert KEPT_MS - 30_000 < left_ms <= KEPT_MS

    async def test_a_shorter_report_does_not_shorten_the_life_of_the_others(
        self, health_store: HealthStore, redis_executor: RedisExecutor, redis_prefix: str
    ) -> None:
        await health_store.store(A, GPT, WELL)
        await health_store.store(B, GPT, WELL, ttl_us=1)

        assert await redis_executor.command("PTTL", redis_prefix + "{hm:gpt}") > KEPT_MS - 30_000

    async def test_a_member_is_forgotten_at_its_last_microsecond(
        self, health_store: HealthStore, redis_executor: RedisExecutor, redis_prefix: str, clock: ManualClock
    ) -> None:
        await health_store.store(A, GPT, WELL)

        for pause_us, expected in ((REPORT_TTL_US - 1, [b"a"]), (1, [])):
            clock.advance(pause_us)
            asked = redis_executor.call("health/members", [redis_prefix + "{hm:gpt}"], [str(clock.now_us())])
            assert await asked == expected

    async def test_instances_that_are_gone_do_not_pile_up(
        self, health_store: HealthStore, redis_executor: RedisExecutor, redis_prefix: str, clock: ManualClock
    ) -> None:
        await health_store.store(A, GPT, WELL)
        clock.advance(REPORT_TTL_US)
        await health_store.store(B, GPT, WELL)

        assert await redis_executor.command("ZCARD", redis_prefix + "{hm:gpt}") == 1

    async def test_the_time_of_the_server_serves_in_production(
        self, redis_executor: RedisExecutor, redis_prefix: str
    ) -> None:
        store = RedisHealthStore(redis_executor, redis_prefix)

        await store.store(A, GPT, WELL)

        assert await store.of_instance(A) == WELL
        assert (await store.of_model(GPT)).total == 1
