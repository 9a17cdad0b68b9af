import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from application.endless import Work
from application.errors import StateUnavailable
from application.ports.clock import Clock
from application.ports.usage_journal import UsageJournal
from application.usage.deliver_usage import DeliverUsage
from application.usage.drain_usage import DrainUsage
from domain.durations import SECOND_US

_LOOK_EVERY_US = SECOND_US // 20
_QUIET_US = SECOND_US


@dataclass(frozen=True, slots=True)
class UsagePipeline:
    """What one gateway process does for its usage records. `drain` is None where only others drain."""

    journal: UsageJournal
    deliver: DeliverUsage
    drain: DrainUsage | None
    clock: Clock

    def works(self) -> Mapping[str, Work]:
        """What runs for as long as requests are served; each ends by cancellation."""
        works = dict(self.deliver.works())
        if self.drain is not None:
            works["draining usage"] = self.drain.run
        return works

    async def bring_home(self) -> None:
        """Sees what dead processes have left into the ledger. Raises StateUnavailable."""
        await self.deliver.adopt()
        await self._flush()

    async def close(self, timeout_us: int) -> None:
        """After the last request, and when the works have ended: brings home what it can, and closes the journal.

        What stores that are away, or slow, do not take stays in the journal for the next start.
        """
        try:
            with suppress(StateUnavailable, TimeoutError):
                async with asyncio.timeout(timeout_us / SECOND_US):
                    await self._flush()
        finally:
            self.journal.close()

    async def _flush(self) -> None:
        """Until nothing is on its way, or a second brought nothing home: a refused record takes minutes."""
        left, quiet_since_us = -1, 0
        while True:
            await self.deliver.send()
            now_us = self.clock.monotonic_us()
            if self.deliver.on_the_way != left:
                left, quiet_since_us = self.deliver.on_the_way, now_us
            if not left or now_us - quiet_since_us >= _QUIET_US:
                return
            drained = self.drain is not None and await self.drain.drain()
            await self.deliver.confirm(at_once=not drained)
            if not drained:
                await self.clock.sleep(_LOOK_EVERY_US)
