import asyncio
import logging
from contextlib import suppress
from dataclasses import replace

from application.change_feed import Follower
from application.errors import StateUnavailable
from application.ports.admin_store import AdminStore
from application.ports.clock import Clock
from application.ports.price_source import PriceSource
from domain.catalog import Instance
from domain.durations import SECOND_US
from domain.identifiers import InstanceId
from domain.override_list import override_list
from domain.pages import MOST_ITEMS
from domain.price_book import PriceBook, Priced, PriceList, Unpriced
from domain.price_override import PriceOverride
from domain.pricing import Prices

AGAIN_AFTER_US = SECOND_US
_FREE = Prices()
_NEVER_US = 2**63

_log = logging.getLogger("moongate.prices")


class CurrentPrices:
    """What instances cost now: their own prices, overrides of administrators, the configured list, the shipped one.

    Overrides are read again whenever one was changed, and come into force and end by the clock. While their store is
    away, those that were read last hold; before the first answer, none.

    What nobody has a price for says so once for each model; with `require` it is not to be asked.
    """

    def __init__(
        self,
        shipped: PriceList,
        file: PriceList | None,
        store: AdminStore,
        clock: Clock,
        *,
        require: bool = False,
    ) -> None:
        self._book = PriceBook(shipped, file)
        self._store = store
        self._clock = clock
        self._require = require
        self._stale = asyncio.Event()
        self._stale.set()
        self._found: dict[InstanceId, tuple[Instance, Priced | Unpriced]] = {}
        self._from_us = self._until_us = 0
        self._warned: set[Unpriced] = set()

    def reconfigure(self, file: PriceList | None, *, require: bool) -> None:
        """Another list is configured; what administrators set stays above it."""
        self._book = replace(self._book, file=file)
        self._require = require
        self._until_us = 0

    def price_of(self, instance: Instance) -> Priced | Unpriced:
        """What the instance costs now, and who says so. Whoever bills by it keeps it until the attempt is over."""
        now_us = self._clock.now_us()
        if not self._from_us <= now_us < self._until_us:
            self._begin_period(now_us)
        known = self._found.get(instance.id)
        # After a reload, an instance of the same name may have other prices of its own.
        if known is not None and known[0] is instance:
            return known[1]
        return self._look_up(instance, now_us)

    def prices(self, instance: Instance) -> Prices:
        """The same for comparing: 0 for what is unpriced."""
        found = self.price_of(instance)
        return found.prices if isinstance(found, Priced) else _FREE

    @property
    def required(self) -> bool:
        """Whether what has no price must not be asked."""
        return self._require

    def refuses(self, instance: Instance) -> bool:
        """Whether it must not be asked, because it has no price and must have one."""
        return self._require and isinstance(self.price_of(instance), Unpriced)

    def changed(self, target: str) -> None:
        """Overrides are read again where it is one of them."""
        if target.startswith("price:"):
            self._stale.set()

    def lost_track(self) -> None:
        """Overrides are read again."""
        self._stale.set()

    async def run(self) -> None:
        """Reads overrides as soon as they may have changed, for ever; ends by cancellation."""
        while True:
            await self._stale.wait()
            await self.refresh()
            await self._clock.sleep(AGAIN_AFTER_US)

    async def refresh(self) -> None:
        """Reads the overrides if they may have changed. A store that is away leaves those that were read before."""
        if not self._stale.is_set():
            return
        # First: a change that is told while they are read may have come too late for a part of them.
        self._stale.clear()
        read: list[PriceOverride] | None = None
        try:
            with suppress(StateUnavailable):
                read = await self._overrides()
        finally:
            if read is None:
                self._stale.set()
        if read is not None:
            self._book = replace(self._book, api=override_list(read))
            self._until_us = 0

    async def _overrides(self) -> list[PriceOverride]:
        page = await self._store.page(PriceOverride, MOST_ITEMS)
        read = list(page.items)
        while page.next is not None:
            page = await self._store.page(PriceOverride, MOST_ITEMS, page.next)
            read += page.items
        return read

    def _begin_period(self, now_us: int) -> None:
        """Forgets what was found: another price may have come into force, or the clock went back."""
        next_us = self._book.next_start_us(now_us)
        self._from_us, self._until_us = now_us, _NEVER_US if next_us is None else next_us
        self._found.clear()

    def _look_up(self, instance: Instance, now_us: int) -> Priced | Unpriced:
        found = self._book.find(instance.provider, instance.upstream_model, now_us, instance.own_prices)
        self._found[instance.id] = (instance, found)
        if isinstance(found, Unpriced) and found not in self._warned:
            self._warned.add(found)
            then = "it is refused" if self._require else "its requests cost 0"
            _log.warning("no price for %s/%s: %s", found.provider, found.upstream_model, then)
        return found


_follows: type[Follower] = CurrentPrices


_conforms: type[PriceSource] = CurrentPrices
