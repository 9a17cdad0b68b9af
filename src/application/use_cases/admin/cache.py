from dataclasses import dataclass

from application.administration.noting import Noting
from application.ports.response_cache import ResponseCache
from domain.audit import Deed
from domain.principal import Principal
from domain.response_cache import CacheStats


@dataclass(frozen=True, slots=True)
class AdministerCache:
    """Stored replies, for administrators. All raise StateUnavailable."""

    cache: ResponseCache
    note: Noting

    async def stats(self, scope: str | None) -> CacheStats:
        """Of a scope, or of all together."""
        return await self.cache.stats(scope)

    async def purge(self, principal: Principal, scope: str | None) -> int:
        """Forgets the replies of a scope, or all; how many there were. Noted in the audit log."""
        purged = await self.cache.purge(scope)
        await self.note(principal, Deed("cache.purge", f"cache:{scope or '*'}"))
        return purged
