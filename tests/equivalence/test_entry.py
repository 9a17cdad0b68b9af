"""Limits and budgets decided together: the same random history in memory and in Lua, and no key without a TTL."""

from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.outbound.memory.admission import MemoryAdmission
from adapters.outbound.memory.budget import MemoryBudgets
from adapters.outbound.memory.budget_accounts import BudgetAccounts
from adapters.outbound.redis.admission import RedisAdmission
from adapters.outbound.redis.budget import RedisBudgets
from adapters.testing.virtual_time import ManualClock
from application.ports.admission import CallerAdmission
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
from domain.durations import MINUTE_US, SECOND_US
from domain.identifiers import RequestId
from domain.limits.admission import CallerAdmissionRequest
from domain.limits.limit import LARGEST_LIMIT, Algorithm, Limit, LimitKind
from tests.equivalence.one_server import OneServer, one_server
from tests.examples import examples

ACCOUNT = AccountId("ü|{1}")
KYIV = ZoneInfo("Europe/Kyiv")
ODD_US = 1_800_000_000_123_457  # so that the last digits of times matter
ODD_NANO = 7_123_456_789_012_345
LEASE_US = 20 * SECOND_US
TTL_US = 5 * MINUTE_US
DAY_US = 86_400_000_000
KINDS = {"key": PeriodKind.DAILY, "team": PeriodKind.TOTAL}
LIMITS = (
    Limit("rpm", LimitKind.REQUESTS, 3, Algorithm.SLIDING_WINDOW),
    Limit("rpm", LimitKind.REQUESTS, 3, Algorithm.FIXED_WINDOW),
    Limit("tpm", LimitKind.TOKENS, LARGEST_LIMIT, Algorithm.TOKEN_BUCKET),
    Limit("tpm", LimitKind.TOKENS, 100, Algorithm.SLIDING_WINDOW),
    Limit("slots", LimitKind.PARALLEL, 2, Algorithm.LEASES),
)


@dataclass(frozen=True)
class Enter:
    number: int
    limits: frozenset[Limit]
    budgets: frozenset[str]
    amount_nano: int
    limit_nano: int
    soft: bool
    epoch: int
    tokens: int


@dataclass(frozen=True)
class End:
    """How the limits of a request end."""

    number: int
    tokens: int | None


@dataclass(frozen=True)
class Resolve:
    """How its reservation ends; None releases it."""

    number: int
    actual_nano: int | None


@dataclass(frozen=True)
class Reseed:
    budget: str
    settled_nano: int
    epoch: int


@dataclass(frozen=True)
class Wait:
    span_us: int


Step = Enter | End | Resolve | Reseed | Wait

NUMBERS = st.integers(1, 4)
AMOUNTS = st.sampled_from([0, 1, 40, 60, 100, ODD_NANO, LARGEST_NANO])
BUDGETS = st.sampled_from(sorted(KINDS))
OF_EACH_NAME = st.lists(st.sampled_from(LIMITS), unique_by=lambda limit: limit.name).map(frozenset)
ENTERING = st.builds(
    Enter,
    NUMBERS,
    OF_EACH_NAME,
    st.frozensets(BUDGETS),
    AMOUNTS,
    st.sampled_from([100, ODD_NANO, LARGEST_LIMIT_NANO]),
    st.booleans(),
    st.sampled_from([1, 1, 1, ODD_NANO]),
    st.sampled_from([0, 1, 1, 40, 100, 101, LARGEST_LIMIT - 1]),
)
STEPS = st.one_of(
    ENTERING,
    ENTERING,
    st.builds(End, NUMBERS, st.sampled_from([None, 0, 7, 150])),
    st.builds(Resolve, NUMBERS, st.none() | AMOUNTS),
    st.builds(Reseed, BUDGETS, st.sampled_from([0, 50, ODD_NANO]), st.sampled_from([1, ODD_NANO])),
    st.builds(
        Wait, st.sampled_from([1, SECOND_US, LEASE_US, 61 * SECOND_US - 1, 61 * SECOND_US, TTL_US, DAY_US, 9 * DAY_US])
    ),
)
# What is left of every limit in the end.
PEEKS = [
    Enter(90 + number, frozenset(limits), frozenset(), 0, 0, False, 1, 0)
    for number, limits in enumerate([LIMITS[::2], LIMITS[1::2]])
]
OPENED = [Reseed(budget, 0, 1) for budget in KINDS]


@dataclass
class Store:
    """An admission and the budgets beside it."""

    admission: CallerAdmission
    budgets: Budgets
    clock: ManualClock

    def __post_init__(self) -> None:
        self.asked: dict[int, CallerAdmissionRequest] = {}

    async def take(self, step: Step) -> object:
        match step:
            case Enter():
                # Who repeats itself asks the same.
                request = self.asked.setdefault(step.number, self.request(step))
                return await self.admission.admit(request)
            case End():
                if step.number in self.asked:
                    await self.admission.settle(self.asked[step.number], step.tokens)
            case Resolve(actual_nano=None):
                return await self.budgets.release(ACCOUNT, attempt(step.number))
            case Resolve():
                return await self.budgets.settle(ACCOUNT, attempt(step.number), step.actual_nano or 0)
            case Reseed():
                return await self.budgets.reseed(ACCOUNT, self.of(step.budget), step.settled_nano, step.epoch)
            case Wait():
                self.clock.advance(step.span_us)
        return await self.budgets.inspect(ACCOUNT, tuple(map(self.of, KINDS)))

    def of(self, budget: str) -> BudgetPeriod:
        return BudgetPeriod(BudgetId(budget), period_of(self.clock.now_us(), KINDS[budget], KYIV))

    def request(self, step: Enter) -> CallerAdmissionRequest:
        charges = tuple(Charge(self.of(name), step.limit_nano, not step.soft) for name in sorted(step.budgets))
        reservation = None
        if charges:
            reservation = Reservation(attempt(step.number), charges, step.amount_nano, step.epoch, TTL_US)
        limits = tuple(sorted(step.limits, key=lambda limit: limit.name))
        request_id = attempt(step.number).request_id
        return CallerAdmissionRequest(request_id, ACCOUNT, limits, step.tokens, LEASE_US, reservation)


def attempt(number: int) -> AttemptId:
    return AttemptId(RequestId(f"r{number}"), 1)


async def replay(server: OneServer, history: list[Step]) -> None:
    here, there, prefix, accounts = ManualClock(ODD_US), ManualClock(ODD_US), server.new_prefix(), BudgetAccounts()
    memory = Store(MemoryAdmission(here, accounts), MemoryBudgets(here, accounts), here)

    def now() -> str:
        return str(there.now_us())

    lua = Store(RedisAdmission(server.executor, prefix, now), RedisBudgets(server.executor, prefix, now), there)
    for number, step in enumerate([*history, Wait(0), *PEEKS]):
        assert await lua.take(step) == await memory.take(step), f"step {number}: {step}"
    keys = await server.executor.command("KEYS", prefix + "*")
    lasting = [key for key in keys if not 0 < await server.executor.command("PTTL", key) < 60 * DAY_US // 1_000]
    assert lasting == []


@pytest.fixture(scope="module")
def server() -> Iterator[OneServer]:
    with one_server() as started:
        yield started


@settings(max_examples=examples(300))
@given(history=st.lists(STEPS, max_size=25), opened=st.booleans())
def test_limits_and_budgets_together_answer_the_same_in_memory_and_in_lua(
    server: OneServer, history: list[Step], opened: bool
) -> None:
    server.run(replay(server, [*OPENED, *history] if opened else history))
