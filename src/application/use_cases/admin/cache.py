import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from application.administration.noting import Noting
from application.errors import ItemNotFound
from application.ports.response_cache import ResponseCache
from domain.audit import Deed
from domain.caching import is_part_of
from domain.principal import Principal
from domain.response_cache import CacheStats

_NOBODYS = (
    "The cache has nothing of {!r}. What belongs to a team is called 'team:<id>'; a user 'user:<id>' and a key "
    "'key:<id>' have replies of their own where cache.scope says so, or without a team."
)


@dataclass(frozen=True, slots=True)
class AdministerCache:
    """Stored replies, for administrators. All raise StateUnavailable.

    The name of a team, user or key stands for every scope that is part of it, whatever `cache.scope` says or said.
    """

    cache: ResponseCache
    note: Noting

    async def stats(self, scope: str | None) -> CacheStats:
        """Of a scope, or of all together; zeros where nobody has that scope."""
        if scope is None:
            return await self.cache.stats()
        return sum(await asyncio.gather(*map(self.cache.stats, await self._parts(scope))), CacheStats())

    async def purge(self, principal: Principal, scope: str | None) -> int:
        """Forgets the replies of a scope, or all; how many there were. Noted in the audit log.

        Each scope is purged in one step. Raises ItemNotFound where nobody has any that is part of it.
        """
        parts = [None] if scope is None else await self._parts(scope)
        if not parts:
            raise ItemNotFound(_NOBODYS.format(scope))
        purged = sum(await asyncio.gather(*map(self.cache.purge, parts)))
        await self.note(principal, Deed("cache.purge", f"cache:{scope or '*'}"))
        return purged

    async def _parts(self, name: str) -> Sequence[str]:
        return [scope for scope in await self.cache.scopes() if is_part_of(scope, name)]
