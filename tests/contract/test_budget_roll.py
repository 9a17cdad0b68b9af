import pytest

from adapters.outbound.memory.budget_roll import MemoryBudgetRoll
from adapters.outbound.redis.budget_roll import RedisBudgetRoll
from adapters.outbound.redis.executor import RedisExecutor
from adapters.testing.budget_roll_contract import BudgetRollContract
from adapters.testing.virtual_time import ManualClock
from application.ports.budget_roll import ROLL_KEPT_US
from domain.budget.epoch import Said


class TestMemoryBudgetRoll(BudgetRollContract):
    @pytest.fixture
    def roll(self) -> MemoryBudgetRoll:
        return MemoryBudgetRoll()


class TestRedisBudgetRoll(BudgetRollContract):
    @pytest.fixture
    def roll(self, redis_executor: RedisExecutor, redis_prefix: str) -> RedisBudgetRoll:
        return RedisBudgetRoll(redis_executor, redis_prefix, "one")


async def test_gateways_hear_each_other_until_they_have_been_silent_for_long(
    redis_executor: RedisExecutor, redis_prefix: str
) -> None:
    clock = ManualClock()
    one, two = (
        RedisBudgetRoll(redis_executor, redis_prefix, name, lambda: str(clock.now_us())) for name in ("one", "two")
    )
    await one.answer(2**53)
    clock.advance(ROLL_KEPT_US - 1)

    heard = await two.answer(4)
    clock.advance(1)
    later = await two.answer(5)

    assert heard == {"one": Said(2**53, ROLL_KEPT_US - 1), "two": Said(4, 0)}
    assert later == {"two": Said(5, 0)}
    assert 0 < await redis_executor.command("PTTL", f"{redis_prefix}{{e:roll}}:budget-roll") <= ROLL_KEPT_US // 1_000
    assert await redis_executor.command("HLEN", f"{redis_prefix}{{e:roll}}:budget-roll") == 1
