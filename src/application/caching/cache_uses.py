import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress

from application.errors import StateUnavailable
from application.ports.clock import Clock
from application.ports.response_cache import ResponseCache
from domain.caching import CacheStatus
from domain.durations import SECOND_US
from domain.response_cache import CacheUse

_FLUSH_EVERY_US = SECOND_US
_MOST_SCOPES = 10_000


class CacheUses:
    """Counts what the cache was asked, and tells the store once a second. What a dead process had not told is lost."""

    def __init__(self, cache: ResponseCache, clock: Clock) -> None:
        self._cache = cache
        self._clock = clock
        self._uses: dict[str, Counter[tuple[str, CacheStatus]]] = {}

    def add(self, scope: str, model: str, status: CacheStatus) -> None:
        """One more request."""
        uses = self._uses.get(scope)
        if uses is None:
            if len(self._uses) >= _MOST_SCOPES:
                return
            uses = self._uses[scope] = Counter()
        uses[model, status] += 1

    async def run(self) -> None:
        """Tells the store, for ever; ends by cancellation."""
        while True:
            await self._clock.sleep(_FLUSH_EVERY_US)
            await self.flush()

    async def flush(self) -> None:
        """Tells it now; what it does not take is lost: told twice, it would count twice."""
        uses, self._uses = self._uses, {}
        with suppress(StateUnavailable):
            await asyncio.gather(*(self._cache.count(scope, _by_model(counted)) for scope, counted in uses.items()))


def _by_model(counted: "Counter[tuple[str, CacheStatus]]") -> Mapping[str, CacheUse]:
    def use_of(model: str) -> CacheUse:
        hits, misses, bypasses = (
            counted[model, status] for status in (CacheStatus.HIT, CacheStatus.MISS, CacheStatus.BYPASS)
        )
        return CacheUse(hits, misses, bypasses)

    return {model: use_of(model) for model in {model for model, _ in counted}}
