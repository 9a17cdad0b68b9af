import asyncio

import pytest

from adapters.outbound.memory.budget_epoch import MemoryBudgetEpochs
from adapters.outbound.redis.budget_epoch import RedisBudgetEpochs
from adapters.outbound.redis.executor import RedisExecutor
from adapters.testing.budget_epoch_contract import BudgetEpochsContract
from adapters.testing.budget_support import DAY_US, MINUTE_US
from adapters.testing.virtual_time import ManualClock
from application.ports.budget_epoch import BudgetEpoch

A_WEEK_MS = 7 * DAY_US // 1_000
MADE_UP = "0123456789abcdef0123456789abcdef01234567"


class TestMemoryBudgetEpochs(BudgetEpochsContract):
    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    def epochs(self) -> MemoryBudgetEpochs:
        return MemoryBudgetEpochs()


class Fleet:
    """Gateways on one store, and the marks in it."""

    def __init__(self, executor: RedisExecutor, prefix: str, clock: ManualClock) -> None:
        self.executor = executor
        self.prefix = prefix
        self.clock = clock

    def gateway(self, known: int = 0) -> RedisBudgetEpochs:
        return RedisBudgetEpochs(self.executor, self.prefix, lambda: str(self.clock.now_us()), known)

    @property
    def marks(self) -> list[str]:
        return self.gateway()._keys

    async def lose(self, *marks: str) -> None:
        for mark in marks or self.marks:
            await self.executor.command("DEL", mark)

    async def change_history(self) -> None:
        """As if every server had been restarted, or another had taken its place."""
        for mark in self.marks:
            text = (await self.executor.command("GET", mark)).decode()
            await self.executor.command("SET", mark, f"{text.rpartition(' ')[0]} {MADE_UP}", "KEEPTTL")

    async def ttls_ms(self) -> list[int]:
        return [await self.executor.command("PTTL", mark) for mark in self.marks]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def fleet(redis_executor: RedisExecutor, redis_prefix: str, clock: ManualClock) -> Fleet:
    return Fleet(redis_executor, redis_prefix, clock)


class TestRedisBudgetEpochs(BudgetEpochsContract):
    @pytest.fixture
    def epochs(self, fleet: Fleet) -> RedisBudgetEpochs:
        return fleet.gateway()


async def test_a_loss_is_numbered_anew_and_its_age_counted_from_then(fleet: Fleet, clock: ManualClock) -> None:
    gateway = fleet.gateway()
    await gateway.epoch()
    clock.advance(MINUTE_US)
    await fleet.lose()

    assert await gateway.epoch() == BudgetEpoch(2, 0)

    clock.advance(MINUTE_US)
    assert await gateway.epoch() == BudgetEpoch(2, MINUTE_US)
    assert await fleet.gateway().epoch() == BudgetEpoch(2, MINUTE_US)


async def test_data_of_another_history_are_a_loss_whoever_knows_of_them(fleet: Fleet) -> None:
    await fleet.gateway(known=41).epoch()
    await fleet.change_history()

    assert await fleet.gateway().epoch() == BudgetEpoch(43, 0)
    assert await fleet.gateway().epoch() == BudgetEpoch(43, 0)


async def test_gateways_that_notice_a_loss_at_once_agree_on_one_number(fleet: Fleet) -> None:
    gateways = [fleet.gateway() for _ in range(8)]
    for loss in range(1, 4):
        found = await asyncio.gather(*(gateway.epoch() for gateway in gateways))
        assert {epoch.number for epoch in found} == {loss}
        await (fleet.change_history() if loss == 2 else fleet.lose())


async def test_who_knows_less_lowers_nothing_and_who_knows_more_raises_all(fleet: Fleet) -> None:
    low, high = fleet.gateway(known=3), fleet.gateway(known=9)
    assert (await low.epoch()).number == 4
    assert (await high.epoch()).number == 10
    assert (await low.epoch()).number == 10
    assert (await fleet.gateway(known=2).epoch()).number == 10
    await fleet.lose()

    assert (await fleet.gateway(known=2).epoch()).number == 3
    assert (await low.epoch()).number == 11
    assert (await high.epoch()).number == 11


async def test_some_marks_that_are_lost_are_made_again_and_are_no_loss(fleet: Fleet) -> None:
    gateway = fleet.gateway()
    await gateway.epoch()
    lost = fleet.marks[1::2]
    if lost:  # a Cluster
        await fleet.lose(*lost)

    assert (await gateway.epoch()).number == 1

    assert await fleet.executor.command("GET", fleet.marks[-1]) is not None


async def test_marks_last_a_week_and_are_written_again_once_a_day(fleet: Fleet, clock: ManualClock) -> None:
    gateway = fleet.gateway()
    await gateway.epoch()
    assert all(A_WEEK_MS - 60_000 < ttl_ms <= A_WEEK_MS for ttl_ms in await fleet.ttls_ms())
    written = await fleet.executor.command("GET", fleet.marks[0])

    clock.advance(DAY_US)
    await gateway.epoch()
    assert await fleet.executor.command("GET", fleet.marks[0]) == written

    clock.advance(1)
    assert await gateway.epoch() == BudgetEpoch(1, DAY_US + 1)
    assert await fleet.executor.command("GET", fleet.marks[0]) != written

    clock.advance(7 * DAY_US)
    assert (await gateway.epoch()).number == 2


async def test_the_servers_clock_is_used_where_none_is_given(redis_executor: RedisExecutor, redis_prefix: str) -> None:
    epochs = RedisBudgetEpochs(redis_executor, redis_prefix)

    assert (await epochs.epoch()).number == 1

    later = await epochs.epoch()
    assert later.number == 1
    assert 0 <= later.age_us < MINUTE_US
