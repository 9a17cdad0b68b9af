from collections.abc import Sequence

from adapters.outbound.memory.budget_accounts import BudgetAccounts
from application.ports.budget import Budgets
from application.ports.clock import Clock
from domain.budget.answers import Balance, Inspection, Refused, Reserved, Resolved, Unverified
from domain.budget.charge import AccountId, AttemptId, BudgetPeriod, Reservation


class MemoryBudgets:
    """Budgets of one process. No method awaits anything, so each is atomic among the tasks of its loop.

    `accounts` is what a MemoryAdmission beside it reserves in.
    """

    def __init__(self, clock: Clock, accounts: BudgetAccounts | None = None) -> None:
        self._clock = clock
        self._accounts = accounts or BudgetAccounts()

    async def reserve(self, account: AccountId, asked: Reservation) -> Reserved | Refused | Unverified | Resolved:
        return self._accounts.of(account).reserve(asked, self._clock.now_us())

    async def settle(self, account: AccountId, attempt_id: AttemptId, actual_nano: int) -> Resolved | None:
        return self._accounts.of(account).settle(attempt_id, actual_nano, self._clock.now_us())

    async def release(self, account: AccountId, attempt_id: AttemptId) -> Resolved | None:
        return self._accounts.of(account).release(attempt_id, self._clock.now_us())

    async def inspect(self, account: AccountId, asked: tuple[BudgetPeriod, ...]) -> Inspection:
        return self._accounts.of(account).inspect(asked, self._clock.now_us())

    async def open_attempts(self, account: AccountId) -> Sequence[AttemptId]:
        return self._accounts.of(account).open_attempts(self._clock.now_us())

    async def reseed(self, account: AccountId, of: BudgetPeriod, settled_nano: int, epoch: int) -> Balance:
        return self._accounts.of(account).reseed(of, settled_nano, epoch, self._clock.now_us())


_conforms: type[Budgets] = MemoryBudgets
