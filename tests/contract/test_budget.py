import asyncio
from collections import Counter

import pytest

from adapters.outbound.memory.budget import MemoryBudgets
from adapters.outbound.redis.budget import RedisBudgets
from adapters.outbound.redis.connection import connect
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.lua_scripts import ScriptError, all_scripts
from adapters.outbound.redis.store_breaker import StoreBreaker
from adapters.outbound.system.clock import SystemClock
from adapters.testing.budget_contract import BudgetContract
from adapters.testing.budget_support import ACCOUNT, DAY_US, TTL_US, Desk
from adapters.testing.virtual_time import ManualClock
from domain.budget.answers import Balance, Refused, Reserved
from domain.budget.period import PeriodKind
from tests.servers.fixtures import PATIENT

KEYS = ("budget", "budget:open", "budget:due")


class TestMemoryBudgets(BudgetContract):
    @pytest.fixture
    def desk(self) -> Desk:
        clock = ManualClock()
        return Desk(MemoryBudgets(clock), clock)


class TestRedisBudgets(BudgetContract):
    @pytest.fixture
    def desk(self, redis_executor: RedisExecutor, redis_prefix: str) -> Desk:
        clock = ManualClock()
        return Desk(RedisBudgets(redis_executor, redis_prefix, lambda: str(clock.now_us())), clock)


def key_names(prefix: str) -> list[str]:
    return [f"{prefix}{{t:{ACCOUNT}}}:{name}" for name in KEYS]


async def test_fifty_tasks_of_five_gateways_against_a_budget_for_one_admit_one(
    redis_url: str, redis_prefix: str
) -> None:
    executors = [
        RedisExecutor(connect(redis_url, PATIENT), all_scripts(), PATIENT, StoreBreaker(SystemClock()))
        for _ in range(5)
    ]
    desks = [Desk(RedisBudgets(executor, redis_prefix), ManualClock()) for executor in executors]
    try:
        key, team = await desks[0].opened("key", 100), await desks[1].opened("team", 150)

        answers = await asyncio.gather(*(desks[n % 5].reserve(f"r{n}", 100, key, team) for n in range(50)))

        assert Counter(type(answer) for answer in answers) == {Reserved: 1, Refused: 49}
        assert await desks[2].money(team.of) == (0, 100)
    finally:
        for executor in executors:
            await executor.aclose()


async def test_every_key_goes_with_the_last_of_what_it_holds(redis_executor: RedisExecutor, redis_prefix: str) -> None:
    clock = ManualClock()
    desk = Desk(RedisBudgets(redis_executor, redis_prefix, lambda: str(clock.now_us())), clock)
    state, _, due = key_names(redis_prefix)
    await desk.reseed(desk.of("key", PeriodKind.TOTAL), 0)
    assert await ttls_days(redis_executor, [state, due]) == [7, 7]

    await desk.held("r", 5, desk.charge("key", 100, PeriodKind.TOTAL))
    assert await ttls_days(redis_executor, key_names(redis_prefix)) == [7, 7, 7]

    month = await desk.opened("month", 100)
    assert month.of.period.ends_us is not None
    days = round(7 + (month.of.period.ends_us - clock.now_us()) / DAY_US, 2)
    assert await ttls_days(redis_executor, [state, due]) == [days, days]
    await desk.settle("r", 5)
    assert await ttls_days(redis_executor, [state, due]) == [days, days]


async def ttls_days(executor: RedisExecutor, keys: list[str]) -> list[float]:
    return [round(await executor.command("PTTL", key) * 1000 / DAY_US, 2) for key in keys]


@pytest.mark.parametrize("amount", ["-1", "1.5", "1e3", "", " 1", str(2**53), str(2**64), "nan"])
async def test_scripts_refuse_what_is_no_amount_before_they_write(
    redis_executor: RedisExecutor, redis_prefix: str, amount: str
) -> None:
    desk = Desk(RedisBudgets(redis_executor, redis_prefix), ManualClock())
    key = await desk.opened("key", 100)
    await desk.held("r", 60, key)

    with pytest.raises(ScriptError, match="whole nano-dollars"):
        await redis_executor.call("budget/settle", key_names(redis_prefix), ["", "r:1", amount])

    assert await desk.money(key.of) == (0, 60)


async def test_the_servers_clock_is_used_where_none_is_given(redis_executor: RedisExecutor, redis_prefix: str) -> None:
    desk = Desk(RedisBudgets(redis_executor, redis_prefix), ManualClock())
    now_us = SystemClock().now_us()
    key = await desk.opened("key", 100)

    held = await desk.held("r", 60, key)

    assert held.expires_us == pytest.approx(now_us + TTL_US, abs=60_000_000)
    assert await desk.settle("r", 25) is not None
    assert await desk.money(key.of) == (25, 0)


async def test_data_that_was_lost_is_unverified_and_open_attempts_can_be_brought_back(
    redis_executor: RedisExecutor, redis_prefix: str
) -> None:
    clock = ManualClock()
    desk = Desk(RedisBudgets(redis_executor, redis_prefix, lambda: str(clock.now_us())), clock)
    key = await desk.opened("key", 100, settled_nano=20)
    await desk.held("r", 60, key)
    for name in key_names(redis_prefix):
        await redis_executor.command("DEL", name)

    assert await desk.settle("r", 50) is None
    assert await desk.balance(key.of) == Balance(0, 0, 0)
    await desk.reseed(key.of, 20)
    soft = desk.charge("key", 100, hard=False)
    await desk.held("r", 60, soft)
    await desk.settle("r", 50)

    assert await desk.money(key.of) == (70, 0)
