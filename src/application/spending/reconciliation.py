import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

from application.errors import StateUnavailable
from application.locking import LockTaken
from application.ports.admin_store import AdminStore
from application.ports.clock import Clock
from application.ports.event_sink import EventSink
from application.ports.lock import Lock
from application.ports.randomness import Randomness
from application.spending.doubts import LOOK_AGAIN_AFTER_US, Doubts
from application.spending.verification import Verification
from domain.budget.answers import Balance
from domain.budget.charge import AccountId, BudgetId, BudgetPeriod
from domain.budget.terms import BudgetTerms, OwnerKind
from domain.durations import SECOND_US
from domain.events import BudgetDrifted
from domain.money import NANO_PER_DOLLAR
from domain.pages import MOST_ITEMS
from domain.virtual_key import VirtualKey

EVERY_US = 3_600 * SECOND_US
_AGAIN_AFTER_US = 60 * SECOND_US
_LOCK = "budgets:reconciliation"
_OWNER_BITS = 128
_TOLERATED_PART = 1_000
_TOLERATED_NANO = NANO_PER_DOLLAR

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Compares budgets with the ledger: all of them once an hour, in one gateway of all, and doubtful ones soon.

    All are doubtful when a process has died, as what it doubted has died with it.

    A count that is too low is lifted. One that is too high stays: it may be usage on its way, and it refuses too much
    rather than too little. What differs by more than a thousandth, or a dollar, for longer than usage is on its way is
    announced. Reservations that the ledger knows are ended.
    """

    store: AdminStore
    verification: Verification
    lock: Lock
    clock: Clock
    randomness: Randomness
    events: EventSink
    doubts: Doubts

    def changed(self, target: str) -> None:
        """A budget that was set again may have been counted before, and not in between: it is compared now and soon."""
        kind, _, budget = target.partition(":")
        if kind == "budget":
            self.doubts.add(BudgetId(budget), 0)
            self.doubts.add(BudgetId(budget))

    def lost_track(self) -> None:
        """All are compared within the hour."""

    async def run(self) -> None:
        """For ever; ends by cancellation."""
        owner = f"{self.randomness.bits(_OWNER_BITS):032x}"
        next_us = self.clock.monotonic_us() + EVERY_US
        while True:
            await self.clock.sleep(SECOND_US)
            await self.settle_doubts()
            if self.clock.monotonic_us() >= next_us:
                done = await self._take_turn(owner)
                next_us = self.clock.monotonic_us() + (EVERY_US if done else _AGAIN_AFTER_US)

    async def settle_doubts(self) -> None:
        """Compares the doubtful whose time has come; again later where that can't be done now."""
        if self.doubts.take_all():
            await self._settle_all()
        for budget, tries in self.doubts.take().items():
            try:
                terms = await self.store.get(BudgetTerms, budget)
            except StateUnavailable:
                self.doubts.add(budget, LOOK_AGAIN_AFTER_US)
                continue
            if terms is not None:
                await self._settle(terms, tries)

    async def _settle_all(self) -> None:
        try:
            async for page in self._pages():
                for terms in page:
                    await self._settle(terms)
        except StateUnavailable:
            self.doubts.add_all(LOOK_AGAIN_AFTER_US)

    async def _settle(self, terms: BudgetTerms, tries: int = 0) -> None:
        """Lifts the count where it is too low; later where that can't be done now, or what is on its way hides it."""
        budget = terms.owner.budget_id
        try:
            found = await self._recounted(terms)
        except (StateUnavailable, LockTaken):
            self.doubts.add(budget, LOOK_AGAIN_AFTER_US)
            return
        if found is not None and found[2].settled_nano > found[3]:
            self.doubts.again(budget, tries)

    async def _take_turn(self, owner: str) -> bool:
        """False where it has to be tried again."""
        try:
            # Not given back: whoever comes within the hour finds that it has been done.
            if await self.lock.acquire(_LOCK, owner, EVERY_US - _AGAIN_AFTER_US) is not None:
                await self()
        except (StateUnavailable, LockTaken) as error:
            _log.warning("budgets can't be compared with the ledger now: %s", error)
            return False
        return True

    async def __call__(self) -> None:
        """Compares all budgets now. Raises StateUnavailable, LockTaken."""
        async for page in self._pages():
            await self._compare(page)

    async def _pages(self) -> AsyncIterator[tuple[BudgetTerms, ...]]:
        page = await self.store.page(BudgetTerms, MOST_ITEMS)
        yield page.items
        while page.next is not None:
            page = await self.store.page(BudgetTerms, MOST_ITEMS, page.next)
            yield page.items

    async def _compare(self, budgets: tuple[BudgetTerms, ...]) -> None:
        doubtful = [terms for terms in budgets if await self._drift_of(terms) is not None]
        if doubtful:
            await self.clock.sleep(LOOK_AGAIN_AFTER_US)
        for terms in doubtful:
            drift = await self._drift_of(terms)
            if drift is not None:
                self.events.publish(drift)

    async def _recounted(self, terms: BudgetTerms) -> tuple[AccountId, BudgetPeriod, Balance, int] | None:
        account = await self._account_of(terms)
        if account is None:
            return None
        of = terms.period(self.clock.now_us())
        return account, of, *await self.verification.recount(account, of)

    async def _drift_of(self, terms: BudgetTerms) -> BudgetDrifted | None:
        """How far the count is off, where that is too far; it has been lifted then where it was too low."""
        if (found := await self._recounted(terms)) is None:
            return None
        account, of, counted, ledger_nano = found
        # At 0 nobody relies on it: it is rebuilt before it is used.
        if counted.epoch == 0 or not _is_far(counted, ledger_nano):
            return None
        return BudgetDrifted(account, of.budget, of.period.id, counted.settled_nano, ledger_nano)

    async def _account_of(self, terms: BudgetTerms) -> AccountId | None:
        owner = terms.owner
        match owner.kind:
            case OwnerKind.KEY:
                key = await self.store.get(VirtualKey, owner.id)
                return None if key is None else AccountId(key.account)
            case OwnerKind.MEMBER:
                return AccountId(f"team:{owner.id.partition(':')[0]}")
            case OwnerKind.USER | OwnerKind.TEAM:
                return AccountId(owner.budget_id)


def _is_far(counted: Balance, ledger_nano: int) -> bool:
    apart_nano = abs(counted.settled_nano - ledger_nano)
    return apart_nano > _TOLERATED_NANO or apart_nano * _TOLERATED_PART > max(counted.settled_nano, ledger_nano)
