"""Once an hour what budgets have counted is compared with the ledger."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from adapters.outbound.memory.admin_store import MemoryAdminStore
from adapters.outbound.memory.lock import MemoryLock
from adapters.outbound.memory.tenants import MemoryTenants
from adapters.testing.doubles import SeededRandomness
from adapters.testing.virtual_time import run_virtual
from application.errors import StateUnavailable
from application.spending.doubts import LOOK_AGAIN_AFTER_US, MOST_TRIES
from application.spending.reconciliation import EVERY_US, Reconciliation
from domain.audit import Change
from domain.budget.charge import AccountId, AttemptId, Charge, Reservation
from domain.budget.terms import BudgetOwner, BudgetTerms, OwnerKind
from domain.durations import SECOND_US
from domain.events import BudgetDrifted
from domain.identifiers import RequestId
from domain.money import NANO_PER_DOLLAR
from domain.pages import Page
from domain.tenants import Membership, Role, Team, TeamId, User, UserId
from domain.usage_record import UsageOutcome, UsageRecord
from domain.virtual_key import KeyId, VirtualKey
from tests.unit.billing.tenant import gateway

TEAM = BudgetTerms(BudgetOwner(OwnerKind.TEAM, "T"), 100 * NANO_PER_DOLLAR)
KEY = replace(TEAM, owner=BudgetOwner(OwnerKind.KEY, "K"))
MEMBER = replace(TEAM, owner=BudgetOwner(OwnerKind.MEMBER, "T:U"))
ACCOUNT = AccountId("team:T")


class World:
    """A gateway whose budgets have counted `counted_nano`, and a ledger that has `ledger_nano`."""

    def __init__(self) -> None:
        self.gateway = one = gateway()
        self.store = MemoryAdminStore(MemoryTenants(), one.clock)
        lock, randomness = MemoryLock(one.clock), SeededRandomness()
        self.lock = lock
        self.compare = Reconciliation(self.store, one.verification, lock, one.clock, randomness, one.events, one.doubts)
        self.used = 0

    async def begin(self, *budgets: BudgetTerms) -> None:
        key = VirtualKey(
            id=KeyId("K"), name="k", prefix="abcdefgh", digest=b"d" * 32, created_at_us=0, team_id=TeamId("T")
        )
        items = (
            User(UserId("U"), "u@example.org", Role.VIEWER),
            Team(TeamId("T"), "t"),
            Membership(UserId("U"), TeamId("T")),
            key,
            *budgets,
        )
        await self.store.apply([Change("create", "x:1", None, item) for item in items], "test")
        for terms in budgets:
            await self.gateway.budgets.reseed(ACCOUNT, terms.period(self.gateway.clock.now_us()), 0, 1)

    async def count(self, terms: Sequence[BudgetTerms], cost_nano: int, ttl_us: int = SECOND_US) -> AttemptId:
        self.used += 1
        attempt = AttemptId(RequestId(f"r{self.used}"), 1)
        now_us = self.gateway.clock.now_us()
        charges = tuple(Charge(each.period(now_us), each.amount_nano) for each in terms)
        await self.gateway.budgets.reserve(ACCOUNT, Reservation(attempt, charges, cost_nano, 1, ttl_us))
        return attempt

    async def ledger_has(self, attempt: AttemptId, cost_nano: int) -> None:
        record = UsageRecord(
            attempt.request_id,
            1,
            self.gateway.clock.now_us(),
            "m",
            ACCOUNT,
            "POST",
            "/",
            UsageOutcome.SUCCESS,
            cost_nano=cost_nano,
            team_id="T",
            user_id="U",
            key_id="K",
        )
        await self.gateway.ledger.insert([record])

    async def settled(self, terms: BudgetTerms) -> int:
        of = terms.period(self.gateway.clock.now_us())
        return (await self.gateway.budgets.inspect(ACCOUNT, (of,))).balances[0].settled_nano

    @property
    def drifts(self) -> list[BudgetDrifted]:
        return [event for event in self.gateway.events.events if isinstance(event, BudgetDrifted)]


@pytest.mark.parametrize("terms", [KEY, MEMBER, TEAM])
def test_a_count_that_is_too_low_is_lifted_and_announced(terms: BudgetTerms) -> None:
    async def scenario() -> None:
        world = World()
        await world.begin(terms)
        await world.ledger_has(AttemptId(RequestId("r"), 1), 5_000)
        began_us = world.gateway.clock.monotonic_us()

        await world.compare()

        assert await world.settled(terms) == 5_000
        assert world.drifts == []
        assert world.gateway.clock.monotonic_us() - began_us == LOOK_AGAIN_AFTER_US

    run_virtual(scenario())


def test_what_stays_too_high_is_announced_and_left() -> None:
    async def scenario() -> None:
        world = World()
        await world.begin(TEAM)
        attempt = await world.count([TEAM], 5_000)
        await world.gateway.budgets.settle(ACCOUNT, attempt, 5_000)

        await world.compare()

        (drift,) = world.drifts
        assert (drift.budget, drift.counted_nano, drift.ledger_nano) == ("team:T", 5_000, 0)
        assert await world.settled(TEAM) == 5_000

    run_virtual(scenario())


def test_usage_on_its_way_is_no_drift() -> None:
    async def scenario() -> None:
        world = World()
        await world.begin(TEAM)
        attempt = await world.count([TEAM], 5_000)
        await world.gateway.budgets.settle(ACCOUNT, attempt, 5_000)
        comparing = asyncio.create_task(world.compare())
        await world.gateway.clock.sleep(SECOND_US)

        await world.ledger_has(attempt, 5_000)
        await comparing

        assert world.drifts == []

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("counted", "ledger", "told"),
    [
        (1_000_000, 1_000_000, False),
        (1_001_000, 1_000_000, False),
        (1_002_000, 1_000_000, True),
        (5_000 * NANO_PER_DOLLAR, 4_999 * NANO_PER_DOLLAR, False),
        (5_000 * NANO_PER_DOLLAR + 1, 4_999 * NANO_PER_DOLLAR, True),
    ],
)
def test_a_thousandth_and_a_dollar_are_tolerated(counted: int, ledger: int, told: bool) -> None:
    async def scenario() -> None:
        world = World()
        large = replace(TEAM, amount_nano=8_000_000 * NANO_PER_DOLLAR)
        await world.begin(large)
        attempt = await world.count([large], counted)
        await world.gateway.budgets.settle(ACCOUNT, attempt, counted)
        await world.ledger_has(attempt, ledger)

        await world.compare()

        assert bool(world.drifts) == told

    run_virtual(scenario())


def test_a_reservation_that_outlived_its_time_ends_as_the_ledger_says() -> None:
    async def scenario() -> None:
        world = World()
        await world.begin(TEAM)
        known = await world.count([TEAM], 5_000)
        await world.count([TEAM], 70)
        await world.ledger_has(known, 3_000)
        await world.gateway.clock.sleep(2 * SECOND_US)

        await world.compare()

        of = TEAM.period(world.gateway.clock.now_us())
        found = (await world.gateway.budgets.inspect(ACCOUNT, (of,))).balances[0]
        assert (found.settled_nano, found.reserved_nano) == (3_000, 70)

    run_virtual(scenario())


def test_what_nobody_relies_on_is_left_alone() -> None:
    async def scenario() -> None:
        world = World()
        await world.begin(TEAM)
        world.gateway.accounts._accounts.clear()
        await world.ledger_has(AttemptId(RequestId("r"), 1), 5_000)

        await world.compare()

        assert await world.settled(TEAM) == 0
        assert world.drifts == []

    run_virtual(scenario())


def test_it_is_done_once_an_hour_by_one_of_all() -> None:
    async def scenario() -> None:
        world = World()
        await world.begin(TEAM)
        running = [asyncio.create_task(compare.run()) for compare in (world.compare, replace(world.compare))]
        await world.ledger_has(AttemptId(RequestId("r"), 1), 5_000)

        await world.gateway.clock.sleep(EVERY_US - 1)
        assert await world.settled(TEAM) == 0
        await world.gateway.clock.sleep(SECOND_US + LOOK_AGAIN_AFTER_US)

        assert await world.settled(TEAM) == 5_000
        await world.ledger_has(AttemptId(RequestId("other"), 1), 1_000)
        await world.gateway.clock.sleep(EVERY_US - 60 * SECOND_US)
        assert await world.settled(TEAM) == 5_000
        await world.gateway.clock.sleep(120 * SECOND_US)
        assert await world.settled(TEAM) == 6_000
        for each in running:
            each.cancel()

    run_virtual(scenario())


def test_of_two_gateways_one_compares_in_each_hour() -> None:
    async def scenario() -> None:
        world = World()
        asked: list[int] = []

        class Counting(MemoryAdminStore):
            async def page(self, *args: Any, **kwargs: Any) -> Page[Any]:
                asked.append(world.gateway.clock.monotonic_us())
                return await super().page(*args, **kwargs)

        store = Counting(MemoryTenants(), world.gateway.clock)
        one = replace(world.compare, store=store)
        other = replace(one, randomness=SeededRandomness(2))
        running = [asyncio.create_task(one.run())]
        await world.gateway.clock.sleep(EVERY_US // 2)
        running.append(asyncio.create_task(other.run()))

        await world.gateway.clock.sleep(5 * EVERY_US)

        assert len(asked) == 5
        for each in running:
            each.cancel()

    run_virtual(scenario())


def test_a_dead_process_makes_all_budgets_doubtful() -> None:
    async def scenario() -> None:
        world = World()
        await world.begin(TEAM, KEY)
        await world.ledger_has(AttemptId(RequestId("r"), 1), 5_000)
        world.gateway.doubts.add_all()
        await world.compare.settle_doubts()
        assert await world.settled(TEAM) == 0

        await world.gateway.clock.sleep(LOOK_AGAIN_AFTER_US)
        await world.compare.settle_doubts()

        assert (await world.settled(TEAM), await world.settled(KEY)) == (5_000, 5_000)

    run_virtual(scenario())


def test_what_is_on_its_way_hides_a_low_count_only_until_it_has_arrived() -> None:
    async def scenario() -> None:
        world = World()
        await world.begin(TEAM)
        await world.ledger_has(AttemptId(RequestId("lost"), 1), 3_000)
        attempt = await world.count([TEAM], 5_000)
        await world.gateway.budgets.settle(ACCOUNT, attempt, 5_000)
        world.gateway.doubts.add(TEAM.owner.budget_id, 0)
        await world.compare.settle_doubts()
        assert await world.settled(TEAM) == 5_000

        await world.ledger_has(attempt, 5_000)
        await world.gateway.clock.sleep(LOOK_AGAIN_AFTER_US)
        await world.compare.settle_doubts()

        assert await world.settled(TEAM) == 8_000

    run_virtual(scenario())


def test_a_count_that_stays_too_high_is_not_compared_for_ever() -> None:
    async def scenario() -> None:
        world = World()
        await world.begin(TEAM)
        attempt = await world.count([TEAM], 5_000)
        await world.gateway.budgets.settle(ACCOUNT, attempt, 5_000)
        recount, looks = world.gateway.verification.recount, []

        async def counted(*words: Any) -> Any:
            looks.append(words)
            return await recount(*words)

        world.gateway.verification.recount = counted  # type: ignore[method-assign, assignment]
        world.gateway.doubts.add(TEAM.owner.budget_id, 0)
        for _ in range(20):
            await world.compare.settle_doubts()
            await world.gateway.clock.sleep(LOOK_AGAIN_AFTER_US)

        assert len(looks) == 1 + MOST_TRIES

    run_virtual(scenario())


def test_processes_that_die_one_after_the_other_do_not_put_the_comparison_off() -> None:
    async def scenario() -> None:
        world = World()
        await world.begin(TEAM)
        await world.ledger_has(AttemptId(RequestId("r"), 1), 5_000)
        for _ in range(4):
            world.gateway.doubts.add_all()
            await world.gateway.clock.sleep(LOOK_AGAIN_AFTER_US // 3)
            await world.compare.settle_doubts()

        assert await world.settled(TEAM) == 5_000

    run_virtual(scenario())


def test_a_ledger_that_is_away_puts_the_comparison_of_all_budgets_off() -> None:
    async def scenario() -> None:
        world = World()
        await world.begin(TEAM)
        await world.ledger_has(AttemptId(RequestId("r"), 1), 5_000)
        recount = world.gateway.verification.recount

        async def away(*_: Any) -> Any:
            raise StateUnavailable("the ledger is away")

        world.gateway.verification.recount = away  # type: ignore[method-assign, assignment]
        world.gateway.doubts.add_all(0)
        await world.compare.settle_doubts()
        world.gateway.verification.recount = recount  # type: ignore[method-assign]
        await world.gateway.clock.sleep(LOOK_AGAIN_AFTER_US)
        await world.compare.settle_doubts()

        assert await world.settled(TEAM) == 5_000

    run_virtual(scenario())
