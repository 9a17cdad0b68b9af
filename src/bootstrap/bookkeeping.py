"""What a gateway does beside its requests so that keys, prices, budgets and usage are right."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field

from adapters.outbound.sql.connection import SqlDatabase
from adapters.outbound.sql.schema import NewerSchema, SchemaError, upgrade
from application.billing.journaling import Journaling
from application.billing.reserving import Reserving
from application.change_feed import ChangeFeed
from application.current_prices import CurrentPrices
from application.endless import Work
from application.errors import StateUnavailable
from application.ports.clock import Clock
from application.spending.reconciliation import Reconciliation
from application.spending.spends import Spends
from application.usage.pipeline import UsagePipeline
from domain.durations import SECOND_US

UPGRADE_WITHIN_S = 5
_CATCH_UP_WITHIN_S = 5
_UPGRADE_AGAIN_US = 2 * SECOND_US
_FLUSH_WITHIN_US = 5 * SECOND_US

_log = logging.getLogger("moongate.database")


@dataclass(frozen=True, slots=True)
class Bookkeeping:
    """Keeps this gateway in step with the database. `database` is None where nothing outlives the process."""

    database: SqlDatabase | None
    feed: ChangeFeed
    prices: CurrentPrices
    pipeline: UsagePipeline
    journaling: Journaling
    reserving: Reserving
    spends: Spends
    reconciliation: Reconciliation
    clock: Clock
    _upgraded: asyncio.Event = field(default_factory=asyncio.Event)

    async def open(self) -> None:
        """Brings the tables to this version, and the ledger up to what dead processes have left.

        Where the database does not answer, all of it is done later. Meanwhile the master key is served; virtual keys
        can't be told from wrong ones, and are answered 503.

        Raises:
            NewerSchema: The database belongs to a later version.
        """
        self.feed.follow(self.reconciliation)
        try:
            async with asyncio.timeout(UPGRADE_WITHIN_S):
                await self._upgrade()
        except NewerSchema:
            raise
        except (SchemaError, TimeoutError) as error:
            _log.error("%s: going on without it", str(error) or "the database does not answer")
            return
        with suppress(StateUnavailable, TimeoutError):
            async with asyncio.timeout(_CATCH_UP_WITHIN_S):
                await self.feed.catch_up()
                await self.prices.refresh()
                await self.spends.look()
                # What budgets have come to is asked of the ledger: it should know everything by then.
                await self.pipeline.bring_home()

    def works(self) -> dict[str, Work]:
        """What runs for as long as requests are served; each ends by cancellation."""
        return {
            "upgrading the database": self._upgrade_at_last,
            "following changes": self.feed.run,
            "reading prices": self.prices.run,
            "watching budgets": self.spends.run,
            "comparing budgets with the ledger": self.reconciliation.run,
            "writing usage down": self.journaling.run,
            **self.pipeline.works(),
        }

    async def close(self) -> None:
        """After the last request: ends its reservations, and brings its usage to the ledger as far as stores allow."""
        await self.reserving.settle()
        await self.spends.drain()
        self.journaling.retry()
        await self.pipeline.close(_FLUSH_WITHIN_US)

    async def _upgrade_at_last(self) -> None:
        """Does what `open` could not do, and then waits for ever."""
        while not self._upgraded.is_set():
            try:
                await self._upgrade()
            except NewerSchema as error:
                _log.critical("%s", error)
            except SchemaError as error:
                _log.warning("%s: trying again", error)
            await self.clock.sleep(_UPGRADE_AGAIN_US)
        await asyncio.Future()

    async def _upgrade(self) -> None:
        if self.database is not None:
            for name in await upgrade(self.database.engine):
                _log.info("database upgraded: %s", name)
        self._upgraded.set()
