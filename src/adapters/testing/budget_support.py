"""Budgets as the contract uses them: one account, a clock that moves when told, short words for long calls."""

from zoneinfo import ZoneInfo

from adapters.testing.virtual_time import ManualClock
from application.ports.budget import Budgets
from domain.budget.answers import Balance, Refused, Reserved, Resolved, Unverified
from domain.budget.charge import AccountId, AttemptId, BudgetId, BudgetPeriod, Charge, Reservation
from domain.budget.period import PeriodKind, period_of
from domain.identifiers import RequestId

ACCOUNT = AccountId("team-1")
MINUTE_US = 60_000_000
DAY_US = 86_400_000_000
TTL_US = 5 * MINUTE_US
UTC = ZoneInfo("UTC")

# 2027-01-15, a Friday, 08:00 UTC: the epoch of the manual clock.
Answer = Reserved | Refused | Unverified | Resolved


def attempt(name: str, number: int = 1) -> AttemptId:
    """An attempt of a request."""
    return AttemptId(RequestId(name), number)


class Desk:
    """One account of some Budgets, at `clock`'s time."""

    def __init__(self, budgets: Budgets, clock: ManualClock) -> None:
        self.budgets = budgets
        self.clock = clock

    def of(self, budget: str, kind: PeriodKind = PeriodKind.MONTHLY) -> BudgetPeriod:
        """The present period of a budget."""
        return BudgetPeriod(BudgetId(budget), period_of(self.clock.now_us(), kind, UTC))

    def charge(
        self, budget: str, limit_nano: int, kind: PeriodKind = PeriodKind.MONTHLY, *, hard: bool = True
    ) -> Charge:
        """A charge on the present period."""
        return Charge(self.of(budget, kind), limit_nano, hard)

    async def opened(self, budget: str, limit_nano: int, *, hard: bool = True, settled_nano: int = 0) -> Charge:
        """A charge on a budget that has been verified."""
        found = self.charge(budget, limit_nano, hard=hard)
        await self.reseed(found.of, settled_nano)
        return found

    async def reserve(self, name: str, amount_nano: int, *charges: Charge, epoch: int = 1) -> Answer:
        """Reserves for the first attempt of a request."""
        return await self.budgets.reserve(ACCOUNT, Reservation(attempt(name), charges, amount_nano, epoch, TTL_US))

    async def held(self, name: str, amount_nano: int, *charges: Charge, epoch: int = 1) -> Reserved:
        """Reserves, and insists on it."""
        answer = await self.reserve(name, amount_nano, *charges, epoch=epoch)
        assert isinstance(answer, Reserved), answer
        return answer

    async def settle(self, name: str, actual_nano: int) -> Resolved | None:
        """Settles the first attempt of a request."""
        return await self.budgets.settle(ACCOUNT, attempt(name), actual_nano)

    async def release(self, name: str) -> Resolved | None:
        """Releases the first attempt of a request."""
        return await self.budgets.release(ACCOUNT, attempt(name))

    async def reseed(self, of: BudgetPeriod, settled_nano: int, epoch: int = 1) -> Balance:
        """Reseeds."""
        return await self.budgets.reseed(ACCOUNT, of, settled_nano, epoch)

    async def balance(self, of: BudgetPeriod) -> Balance:
        """How one budget stands."""
        return (await self.budgets.inspect(ACCOUNT, (of,))).balances[0]

    async def money(self, of: BudgetPeriod) -> tuple[int, int]:
        """What is settled and what is reserved."""
        balance = await self.balance(of)
        return balance.settled_nano, balance.reserved_nano
