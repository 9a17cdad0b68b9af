import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial

from application.locking import Tenure, hold
from application.ports.budget import Budgets
from application.ports.budget_epoch import BudgetEpoch, BudgetEpochs
from application.ports.clock import Clock
from application.ports.ledger import Ledger, Spent
from application.ports.lock import Lock
from application.ports.randomness import Randomness
from application.spending.doubts import Doubts
from application.spending.roll_call import RollCall
from domain.budget.answers import Balance
from domain.budget.charge import AccountId, AttemptId, BudgetId, BudgetPeriod
from domain.durations import SECOND_US

GRACE_US = SECOND_US
"""Within it, every gateway has noticed that the store lost something, unless it is very busy."""

PATIENCE_US = 4 * SECOND_US
"""How long one that was there before is waited for. It may be gone, or cut off."""

_ROLL_EVERY_US = SECOND_US // 10

_LOCK_TTL_US = 5 * SECOND_US
_LOCK_TRIES = 40
_LOCK_DELAY_US = SECOND_US // 20
_MOST_SUMS = 3


_Asked = tuple[AccountId, tuple[str, ...]]


class Verification:
    """Rebuilds what budgets have come to from the ledger, where the store of budgets does not know it."""

    def __init__(
        self,
        budgets: Budgets,
        epochs: BudgetEpochs,
        ledger: Ledger,
        lock: Lock,
        clock: Clock,
        randomness: Randomness,
        doubts: Doubts,
        roll_call: RollCall,
    ) -> None:
        self._budgets = budgets
        self._epochs = epochs
        self._ledger = ledger
        self._lock = lock
        self._clock = clock
        self._randomness = randomness
        self._doubts = doubts
        self._roll_call = roll_call
        self._running: dict[_Asked, asyncio.Task[BudgetEpoch]] = {}

    async def verify(self, account: AccountId, periods: Sequence[BudgetPeriod]) -> BudgetEpoch:
        """Returns when each of these budgets is known to be complete, and at which epoch. Asked by many, done once.

        Raises:
            StateUnavailable: A store is away. Nothing was verified.
            LockTaken: Another gateway is at it, and slow.
        """
        key = (account, tuple(period.name for period in periods))
        running = self._running.get(key)
        if running is None:
            running = self._running[key] = asyncio.create_task(self._verify(account, periods))
            running.add_done_callback(partial(self._ended, key))
        return await asyncio.shield(running)

    def _ended(self, key: _Asked, running: asyncio.Task[BudgetEpoch]) -> None:
        del self._running[key]
        if not running.cancelled():
            # Looked at here, because all who waited for it may be gone.
            running.exception()

    async def recount(self, account: AccountId, of: BudgetPeriod) -> tuple[Balance, int]:
        """What was counted, and what the ledger says. A count that is too low is lifted, if anybody relies on it.

        Raises as `verify`.
        """
        async with self._alone_with(account):
            ledger_nano = (await self._settle_known(account, (of,)))[of.budget]
            counted = (await self._budgets.inspect(account, (of,))).balances[0]
            is_low = counted.epoch and ledger_nano > counted.settled_nano
            if is_low and not await self._is_over(counted.epoch):
                await self._budgets.reseed(account, of, ledger_nano, counted.epoch)
        return counted, ledger_nano

    async def _verify(self, account: AccountId, periods: Sequence[BudgetPeriod]) -> BudgetEpoch:
        while True:
            epoch = await self._epochs.epoch()
            if epoch.age_us < GRACE_US:
                await self._clock.sleep(GRACE_US - epoch.age_us)
            await self._await_all(epoch)
            async with self._alone_with(account):
                if await self._rebuild(account, periods, epoch):
                    return epoch

    async def _await_all(self, epoch: BudgetEpoch) -> None:
        """Returns when all have brought back what they had: it would be missing in what is admitted from now on."""
        until_us = self._clock.monotonic_us() + PATIENCE_US - max(epoch.age_us, GRACE_US)
        while self._roll_call.awaits(epoch.number) and self._clock.monotonic_us() < until_us:
            await self._clock.sleep(_ROLL_EVERY_US)
            await self._roll_call.listen()

    def _alone_with(self, account: AccountId) -> AbstractAsyncContextManager[Tenure]:
        name, tries, delay_us = f"budgets:{account}", _LOCK_TRIES, _LOCK_DELAY_US
        lock, clock, randomness = self._lock, self._clock, self._randomness
        return hold(lock, clock, randomness, name, _LOCK_TTL_US, retries=tries, delay_us=delay_us)

    async def _is_over(self, epoch: int) -> bool:
        """Whether the store has lost something since: the sum would pass for all of it, before others bring it back."""
        return (await self._epochs.epoch()).number > epoch

    async def _rebuild(self, account: AccountId, periods: Sequence[BudgetPeriod], epoch: BudgetEpoch) -> bool:
        """Whether it is done; False where another loss came in between."""
        known = (await self._budgets.inspect(account, tuple(periods))).balances
        unknown = [of for of, balance in zip(periods, known, strict=True) if balance.epoch < epoch.number]
        if not unknown:
            return True
        spent = await self._settle_known(account, unknown)
        if await self._is_over(epoch.number):
            return False
        for of in unknown:
            await self._budgets.reseed(account, of, spent[of.budget], epoch.number)
            # Others may have usage on its way that they had no reason to bring back.
            self._doubts.add(of.budget)
        return True

    async def _settle_known(self, account: AccountId, periods: Sequence[BudgetPeriod]) -> Mapping[BudgetId, int]:
        """The ledger's sums. What is open in the store and known to the ledger is ended before anybody uses them.

        It is in its sum, which lifts what is settled and never adds to it: booked after that, as whoever holds the
        reservation is going to do, it would count twice.
        """
        held, spent = await self._held_and_spent(account, periods)
        await asyncio.gather(*(self._budgets.settle(account, held[name], cost) for name, cost in spent.known.items()))
        return spent.nano

    async def _held_and_spent(
        self, account: AccountId, periods: Sequence[BudgetPeriod]
    ) -> tuple[Mapping[str, AttemptId], Spent]:
        """What is open, by the ids of its records, and the sums.

        These are made anew where the ledger knows something that was brought back meanwhile: whether it is in them,
        nobody could tell.
        """
        held = await self._open(account)
        for _ in range(_MOST_SUMS):
            spent = await self._ledger.spent(periods, held.keys())
            opened = await self._open(account)
            fresh = opened.keys() - held.keys()
            held |= opened
            if not fresh or not await self._ledger.known(fresh):
                break
        return held, spent

    async def _open(self, account: AccountId) -> dict[str, AttemptId]:
        return {attempt_id.record_id: attempt_id for attempt_id in await self._budgets.open_attempts(account)}
