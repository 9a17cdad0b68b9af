"""What attempts cost while the store of budgets does not know what came before."""

import asyncio
from dataclasses import replace

import pytest

from adapters.outbound.memory.budget import MemoryBudgets
from adapters.outbound.memory.budget_accounts import BudgetAccounts
from adapters.outbound.memory.budget_roll import MemoryBudgetRoll
from adapters.outbound.memory.ledger import MemoryLedger
from adapters.outbound.memory.lock import MemoryLock
from adapters.testing.doubles import SeededRandomness, SpyEventSink
from adapters.testing.scripted_provider import Act
from adapters.testing.virtual_time import VirtualClock, run_virtual
from application.ports.budget_epoch import BudgetEpoch
from application.spending.doubts import Doubts
from application.spending.roll_call import RollCall
from application.spending.spends import Spends
from application.spending.verification import Verification
from domain.budget.answers import Balance, Refused, Reserved, Resolved, Unverified
from domain.budget.charge import AccountId, AttemptId, Charge, Reservation
from domain.budget.period import PeriodKind
from domain.budget.terms import BudgetOwner, BudgetTerms, OwnerKind
from domain.callers import Caller, CallerKind
from domain.catalog import Catalog
from domain.chat import Usage
from domain.identifiers import RequestId
from domain.pricing import Prices
from domain.usage_record import UsageOutcome, UsageRecord
from tests.unit.dispatch.gateway import Gateway, member, models

TEAM = AccountId("team:t")
TERMS = BudgetTerms(BudgetOwner(OwnerKind.TEAM, "t"), 10_000, PeriodKind.TOTAL, hard=False)
EARLIER = UsageRecord(
    RequestId("earlier"), 1, 0, "gpt", TEAM, "POST", "/v1/chat/completions", UsageOutcome.SUCCESS, cost_nano=700,
    team_id="t",
)  # fmt: skip


def caller(*, hard: bool) -> Caller:
    return Caller(CallerKind.KEY, "k", tenant=TEAM, team_id="t", budgets=(replace(TERMS, hard=hard),))


def gateway() -> Gateway:
    nano_per_token = Prices(input=0, output=1_000_000)
    return Gateway(Catalog(models(member("gpt", "one", own_prices=nano_per_token, max_output_tokens=100))))


async def balance_of(budgets: MemoryBudgets) -> Balance:
    [balance] = (await budgets.inspect(TEAM, (TERMS.period(0),))).balances
    return balance


def test_a_soft_budget_whose_past_is_unknown_comes_to_its_past_and_what_is_spent_meanwhile() -> None:
    async def main() -> None:
        world = gateway()
        await world.ledger.insert([EARLIER])

        await world.complete("gpt", caller=caller(hard=False))
        await world.spends.drain()

        assert await balance_of(world.budgets) == Balance(705, 0, 1)

    run_virtual(main())


@pytest.mark.parametrize(("hard", "counted"), [(True, 100), (False, 5_000)])
def test_a_guess_costs_no_more_than_a_provider_may_take_that_was_told_a_maximum(hard: bool, counted: int) -> None:
    async def main() -> None:
        world = gateway()
        world.upstream("one").otherwise = Act(usage=Usage(10, 5_000, estimated=True))

        completed = await world.complete("gpt", caller=caller(hard=hard))

        assert completed.cost_nano == counted
        assert [(record.output_tokens, record.cost_nano) for record in world.records()] == [(counted, counted)]

    run_virtual(main())


class _Epochs:
    number = 1

    async def epoch(self) -> BudgetEpoch:
        return BudgetEpoch(self.number, 10_000_000)


class _SlowBudgets(MemoryBudgets):
    """Reserves when it is told to; all else at once."""

    def __init__(self, clock: VirtualClock, accounts: BudgetAccounts) -> None:
        super().__init__(clock, accounts)
        self.may_reserve = asyncio.Event()
        self.may_reserve.set()

    async def reserve(self, account: AccountId, asked: Reservation) -> Reserved | Refused | Unverified | Resolved:
        await self.may_reserve.wait()
        return await super().reserve(account, asked)


class _World:
    """Spends, and a store that can lose everything."""

    def __init__(self) -> None:
        clock, randomness = VirtualClock(), SeededRandomness()
        self.accounts, self.epochs, self.ledger = BudgetAccounts(), _Epochs(), MemoryLedger()
        self.budgets = _SlowBudgets(clock, self.accounts)
        lock, doubts, roll_call = MemoryLock(clock), Doubts(clock), RollCall(MemoryBudgetRoll(), clock)
        verification = Verification(self.budgets, self.epochs, self.ledger, lock, clock, randomness, doubts, roll_call)
        self.spends = Spends(
            self.budgets, self.epochs, verification, self.ledger, clock, SpyEventSink(), doubts, roll_call
        )

    def lose_everything(self) -> None:
        self.accounts.__init__()  # type: ignore[misc]
        self.epochs.number += 1


RESERVATION = Reservation(
    AttemptId(RequestId("late"), 1), (Charge(TERMS.period(0), TERMS.amount_nano, hard=False),), 100, 1, 660_000_000
)


def test_what_was_lost_while_its_answer_was_on_its_way_is_brought_back() -> None:
    async def main() -> None:
        world = _World()
        await world.budgets.reserve(TEAM, RESERVATION)
        world.lose_everything()
        await world.spends.look()

        world.spends.hold(TEAM, RESERVATION)
        await world.spends.drain()
        assert (await balance_of(world.budgets)).reserved_nano == 100

        world.spends.settle(RESERVATION.attempt_id, 30)
        await world.spends.drain()
        assert await balance_of(world.budgets) == Balance(30, 0, 2)

    run_virtual(main())


def test_what_is_given_back_while_it_is_brought_back_stays_given_back() -> None:
    async def main() -> None:
        world = _World()
        world.spends.hold(TEAM, RESERVATION)
        await world.budgets.reserve(TEAM, RESERVATION)
        world.lose_everything()
        world.budgets.may_reserve.clear()
        looking = asyncio.ensure_future(world.spends.look())
        await asyncio.sleep(0)

        world.spends.release(RESERVATION.attempt_id)
        await world.spends.drain()
        world.budgets.may_reserve.set()
        await looking

        assert (await balance_of(world.budgets)).reserved_nano == 0

    run_virtual(main())
