import asyncio
from contextlib import suppress

from application.errors import StateUnavailable
from application.ports.clock import Clock
from application.ports.response_cache import ResponseCache
from domain.caching import CacheStatus
from domain.durations import SECOND_US
from domain.response_cache import CacheUse

_FLUSH_EVERY_US = SECOND_US
_MOST_SCOPES = 10_000
_USES = {
    CacheStatus.HIT: CacheUse(hits=1),
    CacheStatus.MISS: CacheUse(misses=1),
    CacheStatus.BYPASS: CacheUse(bypasses=1),
}


class CacheUses:
    """Counts what the cache was asked, and tells the store once a second. What a dead process had not told is lost."""

    def __init__(self, cache: ResponseCache, clock: Clock) -> None:
        self._cache = cache
        self._clock = clock
        self._uses: dict[str, dict[str, CacheUse]] = {}

    def add(self, scope: str, model: str, status: CacheStatus) -> None:
        """One more request."""
        uses = self._uses.get(scope)
        if uses is None:
            if len(self._uses) >= _MOST_SCOPES:
                return
            uses = self._uses[scope] = {}
        uses[model] = uses.get(model, CacheUse()) + _USES[status]

    async def run(self) -> None:
        """Tells the store, for ever; ends by cancellation."""
        while True:
            await self._clock.sleep(_FLUSH_EVERY_US)
            await self.flush()

    async def flush(self) -> None:
        """Tells it now; what it does not take is lost: told twice, it would count twice."""
        uses, self._uses = self._uses, {}
        with suppress(StateUnavailable):
            await asyncio.gather(*(self._cache.count(scope, counted) for scope, counted in uses.items()))
