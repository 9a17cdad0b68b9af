import asyncio
import logging
from collections.abc import Collection, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from application.background import Background
from application.errors import StateUnavailable
from application.locking import LockTaken
from application.ports.budget import Budgets
from application.ports.budget_epoch import BudgetEpochs
from application.ports.clock import Clock
from application.ports.event_sink import EventSink
from application.spending.verification import Verification
from domain.budget.answers import Reserved
from domain.budget.charge import AccountId, AttemptId, Reservation
from domain.durations import SECOND_US
from domain.events import BudgetReached
from domain.usage_record import UsageRecord

LOOK_EVERY_US = SECOND_US // 4
MOST_REMEMBERED = 100_000
_AT_ONCE = 500

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Spend:
    """One attempt that holds or has spent money, until the ledger knows it.

    Attributes:
        cost_nano: None while it runs.
        is_booked: The store has its end, or knows nothing of it.
        is_ledgered: The ledger has it.
        is_missing: The store was away when it began, and has never heard of it.
        is_unverified: The store did not know what its budgets had come to when it was reserved, or brought back to a
            store that had lost it: that must be known before it is booked, or it would be lost in the rebuilding.
        is_released: It has been given back, and must not be brought back.
    """

    account: AccountId
    reservation: Reservation
    cost_nano: int | None = None
    is_booked: bool = False
    is_ledgered: bool = False
    is_missing: bool = False
    is_unverified: bool = False
    is_released: bool = False
    is_being_booked: bool = False


class Spends:
    """Ends the reservations of this process's attempts, and keeps what a store of budgets would miss if it lost all.

    An end is never forgotten: what the store did not take is tried again. A store that lost its data is given back
    every attempt that the ledger does not have yet.
    """

    def __init__(
        self, budgets: Budgets, epochs: BudgetEpochs, verification: Verification, clock: Clock, events: EventSink
    ) -> None:
        self._budgets = budgets
        self._epochs = epochs
        self._verification = verification
        self._clock = clock
        self._events = events
        self._background = Background()
        self._spends: dict[str, _Spend] = {}
        self.epoch = 1

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
        if len(self._spends) >= MOST_REMEMBERED:
            # The ledger has been away for long. The store has them: only losing both would lose these.
            self._forget_booked()
        spend = _Spend(account, reservation, is_missing=is_missing, is_unverified=is_unverified)
        self._spends[str(reservation.attempt_id)] = spend
        if reservation.epoch != self.epoch and not is_missing:
            # The store may have lost it while the answer was on its way, and all others have been brought back.
            self._background.do(self._bring_back(spend))

    def settle(self, attempt_id: AttemptId, cost_nano: int) -> None:
        """The attempt is over and cost that much."""
        spend = self._spends.get(str(attempt_id))
        if spend is not None and spend.cost_nano is None:
            spend.cost_nano = cost_nano
            self._background.do(self._book(spend))

    def release(self, attempt_id: AttemptId) -> None:
        """Nothing was sent: there was no attempt."""
        spend = self._spends.pop(str(attempt_id), None)
        if spend is not None:
            spend.is_released = True
            if not spend.is_missing:
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
        await self._budgets.settle(AccountId(record.account), attempt_id, record.cost_nano)

    async def run(self) -> None:
        """Watches for what the store lost or did not take, for ever; ends by cancellation."""
        while True:
            with suppress(StateUnavailable):
                await self.look()
            await self._clock.sleep(LOOK_EVERY_US)

    async def look(self) -> None:
        """Brings back what the store has lost, and tries again what it did not take. Raises StateUnavailable."""
        epoch = await self._epochs.epoch()
        if epoch.number != self.epoch:
            _log.warning("the store of budgets may have lost data: restoring %d attempts", len(self._spends))
            await _in_portions(self._restore(spend, epoch.number) for spend in list(self._spends.values()))
            self.epoch = epoch.number
        for spend in list(self._spends.values()):
            if spend.cost_nano is not None and not spend.is_booked:
                self._background.do(self._book(spend))

    async def drain(self) -> None:
        """Returns when all ends that are under way have been told, or could not be."""
        await self._background.settle()

    async def _book(self, spend: _Spend) -> None:
        cost_nano = spend.cost_nano
        if cost_nano is None or spend.is_being_booked:
            return
        spend.is_being_booked = True
        try:
            if spend.is_missing:
                await self._restore(spend, self.epoch)
            if spend.is_unverified:
                periods = [charge.of for charge in spend.reservation.charges]
                await self._verification.verify(spend.account, periods)
            resolved = await self._budgets.settle(spend.account, spend.reservation.attempt_id, cost_nano)
        except (StateUnavailable, LockTaken):
            return
        finally:
            spend.is_being_booked = False
        # One that the store does not know ended long ago there, or is lost with others and will be restored.
        spend.is_booked = True
        self._forget_if_done(spend)
        for crossing in () if resolved is None else resolved.crossings:
            self._events.publish(BudgetReached(spend.account, crossing))

    async def _give_back(self, spend: _Spend) -> None:
        try:
            await self._budgets.release(spend.account, spend.reservation.attempt_id)
        except StateUnavailable:
            # Nothing was spent, so that it is booked at 0 says the same, and is tried again.
            spend.cost_nano = 0
            self._spends[str(spend.reservation.attempt_id)] = spend

    async def _bring_back(self, spend: _Spend) -> None:
        try:
            await self._restore(spend, self.epoch)
        except StateUnavailable:
            spend.is_missing = True

    async def _restore(self, spend: _Spend, epoch: int) -> None:
        asked = spend.reservation
        soft = tuple(replace(charge, hard=False) for charge in asked.charges)
        amount_nano = asked.amount_nano if spend.cost_nano is None else spend.cost_nano
        answer = await self._budgets.reserve(
            spend.account, replace(asked, charges=soft, amount_nano=amount_nano, epoch=epoch)
        )
        spend.is_missing = False
        if isinstance(answer, Reserved):
            spend.is_booked, spend.is_unverified = False, True
            if spend.is_released:
                await self._give_back(spend)

    def _forget_if_done(self, spend: _Spend) -> None:
        if spend.is_booked and spend.is_ledgered:
            self._spends.pop(str(spend.reservation.attempt_id), None)

    def _forget_booked(self) -> None:
        for name in [name for name, spend in self._spends.items() if spend.is_booked][: MOST_REMEMBERED // 10]:
            del self._spends[name]


async def _in_portions(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """All of them, so many at once. Raises what the first that fails raises, when its portion is through."""
    portion: list[Coroutine[Any, Any, None]] = []
    for work in works:
        portion.append(work)
        if len(portion) == _AT_ONCE:
            await asyncio.gather(*portion)
            portion = []
    await asyncio.gather(*portion)
