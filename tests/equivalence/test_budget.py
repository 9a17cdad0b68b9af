"""Random histories on Lua and on memory, at the same virtual times: equal replies, and no key without a TTL."""

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.outbound.memory.budget import MemoryBudgets
from adapters.outbound.redis.budget import RedisBudgets
from adapters.outbound.redis.connection import connect
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.lua_scripts import all_scripts
from adapters.outbound.redis.store_breaker import StoreBreaker
from adapters.outbound.system.clock import SystemClock
from adapters.testing.virtual_time import ManualClock
from application.ports.budget import Budgets
from domain.budget.charge import (
    LARGEST_LIMIT_NANO,
    LARGEST_NANO,
    AccountId,
    AttemptId,
    BudgetId,
    BudgetPeriod,
    Charge,
    Reservation,
)
from domain.budget.period import PeriodKind, period_of
from domain.identifiers import RequestId
from tests.examples import examples
from tests.servers.fixtures import PATIENT
from tests.servers.redis_servers import standalone, valkey_binary

ACCOUNT = AccountId("ü|{1}")
KYIV = ZoneInfo("Europe/Kyiv")
MINUTE_US = 60_000_000
ODD_US = 1_800_000_000_123_457  # so that the last digits of times matter
DAY_US = 86_400_000_000
ODD_NANO = 7_123_456_789_012_345
KINDS = {"key": PeriodKind.DAILY, "member|é": PeriodKind.MONTHLY, "team": PeriodKind.TOTAL}

_prefixes = itertools.count(1)


@dataclass(frozen=True)
class Reserve:
    number: int
    budgets: frozenset[str]
    amount_nano: int
    limit_nano: int
    soft: bool
    epoch: int
    ttl_us: int


@dataclass(frozen=True)
class Settle:
    number: int
    actual_nano: int


@dataclass(frozen=True)
class Release:
    number: int


@dataclass(frozen=True)
class Reseed:
    budget: str
    settled_nano: int
    epoch: int


@dataclass(frozen=True)
class Inspect:
    pass


@dataclass(frozen=True)
class ListOpen:
    pass


@dataclass(frozen=True)
class Wait:
    span_us: int


Step = Reserve | Settle | Release | Reseed | Inspect | ListOpen | Wait

AMOUNTS = st.sampled_from([0, 1, 40, 60, 99, 100, ODD_NANO, ODD_NANO + 1, LARGEST_NANO - 1, LARGEST_NANO])
SPANS = st.sampled_from(
    [1, MINUTE_US, 2 * MINUTE_US, 5 * MINUTE_US - 1, 5 * MINUTE_US, DAY_US - 1, DAY_US, 7 * DAY_US - 1, 7 * DAY_US]
)
NUMBERS = st.integers(1, 4)
EPOCHS = st.sampled_from([1, 1, 1, 2, ODD_NANO])
BUDGETS = st.sampled_from(sorted(KINDS))
STEPS = st.one_of(
    st.builds(
        Reserve,
        NUMBERS,
        st.frozensets(BUDGETS, min_size=1),
        AMOUNTS,
        st.sampled_from([0, 100, ODD_NANO, LARGEST_LIMIT_NANO]),
        st.booleans(),
        EPOCHS,
        st.sampled_from([1, 5 * MINUTE_US, DAY_US]),
    ),
    st.builds(Settle, NUMBERS, AMOUNTS),
    st.builds(Release, NUMBERS),
    st.builds(Reseed, BUDGETS, st.sampled_from([0, 0, 50, ODD_NANO, LARGEST_NANO]), EPOCHS),
    st.builds(Inspect),
    st.builds(ListOpen),
    st.builds(Wait, SPANS),
)
# Most histories begin with budgets that may be used: otherwise most of them would be refusals.
OPENED = [Reseed(budget, 0, 1) for budget in KINDS]


def of(budget: str, now_us: int) -> BudgetPeriod:
    return BudgetPeriod(BudgetId(budget), period_of(now_us, KINDS[budget], KYIV))


async def take(step: Step, budgets: Budgets, now_us: int) -> object:
    match step:
        case Reserve():
            charges = tuple(
                Charge(of(budget, now_us), step.limit_nano, hard=not step.soft or budget == "team")
                for budget in sorted(step.budgets)
            )
            asked = Reservation(attempt(step.number), charges, step.amount_nano, step.epoch, step.ttl_us)
            return await budgets.reserve(ACCOUNT, asked)
        case Settle():
            return await budgets.settle(ACCOUNT, attempt(step.number), step.actual_nano)
        case Release():
            return await budgets.release(ACCOUNT, attempt(step.number))
        case Reseed():
            return await budgets.reseed(ACCOUNT, of(step.budget, now_us), step.settled_nano, step.epoch)
        case ListOpen():
            return await budgets.open_attempts(ACCOUNT)
        case _:
            return await budgets.inspect(ACCOUNT, tuple(of(budget, now_us) for budget in KINDS))


def attempt(number: int) -> AttemptId:
    return AttemptId(RequestId("r"), number)


async def replay(history: list[Step], executor: RedisExecutor) -> None:
    clock = ManualClock(ODD_US)
    prefix = f"equal-{next(_prefixes)}:"
    memory, lua = MemoryBudgets(clock), RedisBudgets(executor, prefix, lambda: str(clock.now_us()))
    for number, step in enumerate([*history, Inspect()]):
        if isinstance(step, Wait):
            clock.advance(step.span_us)
            continue
        expected = await take(step, memory, clock.now_us())
        assert await take(step, lua, clock.now_us()) == expected, f"step {number}: {step}"
    for key in ("budget", "budget:open", "budget:due"):
        left_ms = await executor.command("PTTL", f"{prefix}{{t:{ACCOUNT}}}:{key}")
        assert left_ms == -2 or 0 < left_ms < 60 * DAY_US // 1_000, f"{key}: {left_ms}"


@pytest.fixture(scope="module")
def lua() -> Iterator[tuple[asyncio.Runner, RedisExecutor]]:
    with standalone(valkey_binary()) as server, asyncio.Runner() as runner:

        async def opened() -> RedisExecutor:
            executor = RedisExecutor(connect(server.url, PATIENT), all_scripts(), PATIENT, StoreBreaker(SystemClock()))
            await executor.load()
            return executor

        executor = runner.run(opened())
        yield runner, executor
        runner.run(executor.aclose())


@settings(max_examples=examples(500))
@given(history=st.lists(STEPS, max_size=25), opened=st.booleans())
def test_lua_and_memory_answer_alike(
    lua: tuple[asyncio.Runner, RedisExecutor], history: list[Step], opened: bool
) -> None:
    runner, executor = lua

    runner.run(replay([*OPENED, *history] if opened else history, executor))


def test_lua_and_memory_sweep_alike(lua: tuple[asyncio.Runner, RedisExecutor]) -> None:
    def held(number: int) -> Reserve:
        return Reserve(number, frozenset(KINDS), 1, LARGEST_LIMIT_NANO, False, 1, MINUTE_US)

    runner, executor = lua
    resolved: list[Step] = [step for number in range(70) for step in (held(number + 1), Settle(number + 1, 1))]
    orphans: list[Step] = [held(number) for number in range(101, 261)]
    history = [*OPENED, *resolved, *orphans, Wait(MINUTE_US), Inspect(), Wait(MINUTE_US), Inspect(), Settle(70, 1)]
    history += [ListOpen(), Wait(DAY_US - MINUTE_US), ListOpen()]

    runner.run(replay([*history, Wait(9 * DAY_US), ListOpen(), *[Inspect()] * 5, held(1)], executor))
