import asyncio
import logging
from collections.abc import Collection, Coroutine, Iterable, Sequence
from contextlib import suppress
from typing import Any

from application.background import Background
from application.errors import StateUnavailable
from application.locking import LockTaken
from application.ports.budget import Budgets
from application.ports.budget_epoch import BudgetEpochs
from application.ports.clock import Clock
from application.ports.event_sink import EventSink
from application.ports.ledger import Ledger
from application.spending.doubts import Doubts
from application.spending.restoring import Restoring
from application.spending.roll_call import RollCall
from application.spending.spend import Spend
from application.spending.verification import Verification
from domain.budget.answers import Resolved
from domain.budget.charge import AccountId, AttemptId, Reservation
from domain.budget.spending import budgets_of
from domain.durations import SECOND_US
from domain.events import BudgetReached
from domain.usage_record import UsageRecord

LOOK_EVERY_US = SECOND_US // 4
MOST_REMEMBERED = 100_000
_ON_DISK_AFTER_US = 60 * SECOND_US
_AT_ONCE = 500

_log = logging.getLogger(__name__)


class Spends:
    """Ends the reservations of this process's attempts, and keeps what a store of budgets would miss if it lost all.

    An end is never forgotten: what the store did not take is tried again. A store that lost its data is given back
    every attempt that the ledger does not have yet.
    """

    def __init__(
        self,
        budgets: Budgets,
        epochs: BudgetEpochs,
        verification: Verification,
        ledger: Ledger,
        clock: Clock,
        events: EventSink,
        doubts: Doubts,
        roll_call: RollCall,
    ) -> None:
        self._budgets = budgets
        self._epochs = epochs
        self._verification = verification
        self._ledger = ledger
        self._clock = clock
        self._events = events
        self._doubts = doubts
        self._roll_call = roll_call
        self._background = Background()
        self._spends: dict[str, Spend] = {}
        self._restored_epoch = 1
        self._restoring = Restoring(budgets)
        self._purge_at = MOST_REMEMBERED
        self._is_rebooking = False

    @property
    def epoch(self) -> int:
        """What is known to be the present one: what is reserved from now on must be verified at it."""
        return self._restoring.epoch

    @property
    def remembered(self) -> int:
        """How many attempts the ledger is not known to have."""
        return len(self._spends)

    def hold(
        self, account: AccountId, reservation: Reservation, *, is_missing: bool = False, is_unverified: bool = False
    ) -> None:
        """The attempt's reservation has been made; with `is_missing`, it was not: its cost is told afterwards.

        `is_unverified`: One of its budgets, a soft one, is not known to be complete.
        """
        if len(self._spends) >= self._purge_at:
            # The ledger has been away for long. The store has them: only losing both would lose these.
            self._forget_booked()
        name = reservation.attempt_id.record_id
        spend = Spend(name, account, reservation, is_missing=is_missing, is_unverified=is_unverified)
        self._spends[name] = spend
        if reservation.epoch != self.epoch and not is_missing:
            # The store may have lost it while the answer was on its way, and all others have been brought back.
            self._background.do(self._bring_back(spend))

    def settle(self, attempt_id: AttemptId, cost_nano: int) -> None:
        """The attempt is over and cost that much."""
        spend = self._spends.get(attempt_id.record_id)
        if spend is not None and spend.cost_nano is None:
            spend.cost_nano = cost_nano
            self._background.do(self._book(spend))

    def release(self, attempt_id: AttemptId) -> None:
        """Nothing was sent: there was no attempt."""
        spend = self._spends.pop(attempt_id.record_id, None)
        if spend is not None:
            spend.is_released = True
            self._background.do(self._give_back(spend))

    async def ledgered(self, record_ids: Collection[str]) -> None:
        """These are in the ledger, and nobody needs to remember them."""
        for record_id in record_ids:
            spend = self._spends.get(record_id)
            if spend is not None:
                spend.is_ledgered = True
                self._forget_if_done(spend)

    async def adopted(self, record: UsageRecord) -> None:
        """Ends the reservation of an attempt whose process has died. Raises StateUnavailable."""
        attempt_id = AttemptId(record.request_id, record.attempt)
        ended = await self._budgets.settle(AccountId(record.account), attempt_id, record.cost_nano)
        if ended is None or ended.actual_nano != record.cost_nano:
            # Lost with the store, never told, or told what a full disk then did not take: the ledger will have it.
            for budget in budgets_of(record):
                self._doubts.add(budget)

    async def run(self) -> None:
        """Watches for what the store lost or did not take, for ever; ends by cancellation."""
        while True:
            with suppress(StateUnavailable):
                await self.look()
            await self._clock.sleep(LOOK_EVERY_US)

    async def look(self) -> None:
        """Brings back what the store has lost, and tries again what it did not take. Raises StateUnavailable."""
        epoch = await self._epochs.epoch()
        if epoch.number != self._restored_epoch:
            _log.warning("the store of budgets may have lost data: restoring up to %d attempts", len(self._spends))
            # At once: a budget that is stale must not admit what is asked from now on.
            self._restoring.epoch = epoch.number
            await self._restore_lost()
            self._restored_epoch = epoch.number
        await self._roll_call.answer(self._restored_epoch)
        due = [one for one in self._spends.values() if one.cost_nano is not None and one.booked_us is None]
        if due and not self._is_rebooking:
            self._is_rebooking = True
            self._background.do(self._book_again(due))

    async def drain(self) -> None:
        """Returns when all ends that are under way have been told, or could not be."""
        await self._background.settle()

    async def _book_again(self, due: Sequence[Spend]) -> None:
        try:
            await _in_portions(self._book(spend) for spend in due)
        finally:
            self._is_rebooking = False

    async def _book(self, spend: Spend) -> None:
        cost_nano = spend.cost_nano
        if cost_nano is None or spend.is_being_booked or spend.booked_us is not None:
            return
        spend.is_being_booked = True
        try:
            if spend.is_missing:
                await self._restore(spend)
            if spend.is_unverified:
                await self._verification.verify(spend.account, spend.periods)
            resolved = await self._end(spend, cost_nano)
        except (StateUnavailable, LockTaken):
            return
        finally:
            spend.is_being_booked = False
        if resolved is None and self._clock.monotonic_us() < spend.sought_until_us:
            return
        # One that the store does not know ended long ago there, or is lost with others and will be restored.
        spend.booked_us = self._clock.monotonic_us()
        self._forget_if_done(spend)
        for crossing in () if resolved is None else resolved.crossings:
            self._events.publish(BudgetReached(spend.account, crossing))

    async def _end(self, spend: Spend, cost_nano: int) -> Resolved | None:
        attempt_id = spend.reservation.attempt_id
        if spend.is_late and await self._ledger.known([spend.name]):
            # Whether the sum that its budgets were rebuilt from had it, nobody can tell. Comparing them will.
            spend.is_ledgered = True
            for of in spend.periods:
                self._doubts.add(of.budget)
            return await self._budgets.release(spend.account, attempt_id)
        return await self._budgets.settle(spend.account, attempt_id, cost_nano)

    async def _give_back(self, spend: Spend) -> None:
        if spend.is_missing:
            spend.seek(self._clock.monotonic_us())
        with suppress(StateUnavailable):
            known = await self._budgets.release(spend.account, spend.reservation.attempt_id)
            if known is not None or not spend.sought_until_us:
                return
        spend.cost_nothing()
        self._spends[spend.name] = spend

    async def _bring_back(self, spend: Spend) -> None:
        try:
            await self._restore(spend)
        except StateUnavailable:
            spend.is_missing = True

    async def _restore_lost(self) -> None:
        """Brings back what the store may have lost, and neither what the ledger has nor what a disk has kept."""
        ended = [spend.name for spend in self._spends.values() if spend.cost_nano is not None]
        with suppress(StateUnavailable):
            for start in range(0, len(ended), _AT_ONCE):
                await self.ledgered(await self._ledger.known(ended[start : start + _AT_ONCE]))
        old_us = self._clock.monotonic_us() - _ON_DISK_AFTER_US
        emptied: dict[AccountId, bool] = {}
        lost: list[Spend] = []
        for spend in list(self._spends.values()):
            if spend.booked_us is not None and spend.booked_us < old_us:
                if spend.account not in emptied:
                    balances = (await self._budgets.inspect(spend.account, spend.periods)).balances
                    emptied[spend.account] = any(balance.epoch == 0 for balance in balances)
                if not emptied[spend.account]:
                    continue
            if not spend.is_ledgered:
                lost.append(spend)
        await _in_portions(self._restore(spend) for spend in lost)

    async def _restore(self, spend: Spend) -> None:
        if await self._restoring(spend) and spend.is_released:
            await self._give_back(spend)

    def _forget_if_done(self, spend: Spend) -> None:
        if spend.booked_us is not None and spend.is_ledgered:
            self._spends.pop(spend.name, None)

    def _forget_booked(self) -> None:
        booked = [name for name, spend in self._spends.items() if spend.booked_us is not None]
        for name in booked[: MOST_REMEMBERED // 10]:
            del self._spends[name]
        self._purge_at = max(MOST_REMEMBERED, len(self._spends) + MOST_REMEMBERED // 10)


async def _in_portions(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """All of them, so many at once. Raises what the first that fails raises, when its portion is through."""
    portion: list[Coroutine[Any, Any, None]] = []
    for work in works:
        portion.append(work)
        if len(portion) == _AT_ONCE:
            await asyncio.gather(*portion)
            portion = []
    await asyncio.gather(*portion)
