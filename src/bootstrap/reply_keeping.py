"""What a gateway does beside its requests so that replies are kept."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from adapters.outbound.redis.prober import Prober
from application.caching.cache_uses import CacheUses
from application.caching.flights_here import FlightsHere
from application.caller_gate import CallerGate
from application.endless import Work
from application.errors import StateUnavailable
from bootstrap.stores import RedisStore

_LAND_WITHIN_S = 5


@dataclass(frozen=True, slots=True)
class ReplyKeeping:
    """`store` and `prober` are those of a Redis for replies alone; None where there is none."""

    flights: Sequence[FlightsHere]
    uses: CacheUses
    store: RedisStore | None
    prober: Prober | None
    gate: CallerGate

    async def open(self) -> None:
        """Loads the scripts. Where that Redis does not answer, the prober does it later.

        Raises:
            ScriptError: A script does not compile.
        """
        if self.store is not None:
            with suppress(StateUnavailable):
                await self.store.executor.load()

    def works(self) -> dict[str, Work]:
        """What runs for as long as requests are served; each ends by cancellation."""
        works: dict[str, Work] = {"counting uses of the cache": self.uses.run}
        if self.prober is not None:
            works["probing the redis of the cache"] = self.prober.run
        return works

    async def close(self) -> None:
        """After the last request: waits a little for what is still under way without a client."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAND_WITHIN_S):
                await asyncio.gather(*(each.settle() for each in self.flights))
        for each in self.flights:
            each.end_all()
        await asyncio.gather(*(each.settle() for each in self.flights))
        await self.gate.settle()
        await self.uses.flush()
