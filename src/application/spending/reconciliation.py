import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from application.errors import StateUnavailable
from application.ports.admin_store import AdminStore
from application.ports.budget import Budgets
from application.ports.clock import Clock
from application.ports.event_sink import EventSink
from application.ports.ledger import Ledger
from application.ports.lock import Lock
from application.ports.randomness import Randomness
from domain.budget.answers import Balance, Orphan
from domain.budget.charge import AccountId, BudgetPeriod
from domain.budget.terms import BudgetTerms, OwnerKind
from domain.durations import SECOND_US
from domain.events import BudgetDrifted
from domain.money import NANO_PER_DOLLAR
from domain.pages import MOST_ITEMS
from domain.virtual_key import VirtualKey

EVERY_US = 3_600 * SECOND_US
SECOND_LOOK_AFTER_US = 15 * SECOND_US
"""Longer than usage is on its way to the ledger while everything is well."""

_AGAIN_AFTER_US = 60 * SECOND_US
_LOCK = "budgets:reconciliation"
_OWNER_BITS = 128
_TOLERATED_PART = 1_000
_TOLERATED_NANO = NANO_PER_DOLLAR

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Compares what every budget has counted with the ledger, once an hour, in one gateway of all.

    A count that is too low is lifted. One that is too high stays: it may be usage on its way, and it refuses too much
    rather than too little. What differs by more than a thousandth, or a dollar, for longer than usage is on its way is
    announced. Reservations that outlived their time are ended with what the ledger says of them.
    """

    store: AdminStore
    budgets: Budgets
    ledger: Ledger
    lock: Lock
    clock: Clock
    randomness: Randomness
    events: EventSink

    async def run(self) -> None:
        """For ever; ends by cancellation."""
        owner = f"{self.randomness.bits(_OWNER_BITS):032x}"
        while True:
            await self.clock.sleep(EVERY_US)
            while not await self._take_turn(owner):
                await self.clock.sleep(_AGAIN_AFTER_US)

    async def _take_turn(self, owner: str) -> bool:
        """False where it has to be tried again."""
        try:
            # Not given back: whoever comes within the hour finds that it has been done.
            if await self.lock.acquire(_LOCK, owner, EVERY_US - _AGAIN_AFTER_US) is not None:
                await self()
        except StateUnavailable as error:
            _log.warning("budgets can't be compared with the ledger now: %s", error)
            return False
        return True

    async def __call__(self) -> None:
        """Compares all budgets now. Raises StateUnavailable."""
        page = await self.store.page(BudgetTerms, MOST_ITEMS)
        while True:
            await self._compare(page.items)
            if page.next is None:
                return
            page = await self.store.page(BudgetTerms, MOST_ITEMS, page.next)

    async def _compare(self, budgets: tuple[BudgetTerms, ...]) -> None:
        now_us = self.clock.now_us()
        looks: dict[BudgetPeriod, AccountId] = {}
        for terms in budgets:
            account = await self._account_of(terms)
            if account is not None:
                looks[terms.period(now_us)] = account
        doubtful = {of: looks[of] for of in looks if await self._differs(looks[of], of)}
        if doubtful:
            await self.clock.sleep(SECOND_LOOK_AFTER_US)
        for of, account in doubtful.items():
            drift = await self._differs(account, of)
            if drift is not None:
                self.events.publish(drift)

    async def _differs(self, account: AccountId, of: BudgetPeriod) -> BudgetDrifted | None:
        """How far the count is off, where that is too far. Ends orphans, and lifts what is too low."""
        seen = await self.budgets.inspect(account, (of,))
        counted = seen.balances[0]
        spent = await self.ledger.spent((of,), [str(orphan.attempt_id) for orphan in seen.orphans])
        await self._end(account, seen.orphans, spent.known)
        ledger_nano = spent.nano[of.budget]
        if counted.epoch == 0:  # nobody relies on it: it is rebuilt before it is used
            return None
        if ledger_nano > counted.settled_nano:
            await self.budgets.reseed(account, of, ledger_nano, counted.epoch)
        if not _is_far(counted, ledger_nano):
            return None
        return BudgetDrifted(account, of.budget, of.period.id, counted.settled_nano, ledger_nano)

    async def _end(self, account: AccountId, orphans: tuple[Orphan, ...], known: Mapping[str, int]) -> None:
        await asyncio.gather(
            *(
                self.budgets.settle(account, orphan.attempt_id, known[str(orphan.attempt_id)])
                for orphan in orphans
                if str(orphan.attempt_id) in known
            )
        )

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
