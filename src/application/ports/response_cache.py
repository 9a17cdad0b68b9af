from collections.abc import Mapping, Sequence
from typing import Protocol

from domain.response_cache import CachedReply, CacheStats, CacheUse, Fill, FillHeld


class ResponseCache(Protocol):
    """Complete replies by scope and key, and the right to fill a gap, which one of many equal misses gets.

    A scope is a tenant (or narrower). It is stored with each reply and compared on reading: nobody gets another
    scope's reply, whatever the key. Each method is atomic. Raises StateUnavailable where the store does not answer.
    """

    async def get(self, scope: str, key: str) -> CachedReply | None:
        """The reply; None where there is none, it has expired, was purged or evicted."""
        ...

    async def put(self, scope: str, key: str, reply: CachedReply, ttl_us: int, fill: Fill | None = None) -> bool:
        """Stores `reply` for `ttl_us` (> 0, cut to 30 days), in place of an older one, and gives `fill` back.

        False, and nothing is stored: the body is larger than one entry may be; or `fill` holds no more, because it
        expired, was given back, or a purge revoked it. Repeated with the same `fill`, it answers True again.
        Without `fill` a purge that happened meanwhile does not matter.
        """
        ...

    async def acquire_fill(self, scope: str, key: str, owner: str, ttl_us: int) -> Fill | FillHeld | CachedReply:
        """The right to call upstream for this key, held for `ttl_us` (> 0), unless another owner has it.

        Where a reply was stored since the miss, the reply. An owner who asks again while it holds the right gets the
        same right, not a longer one: `Flights.tell` holds it for longer. An owner is a token that nobody else uses, new
        for each call upstream.
        """
        ...

    async def abandon_fill(self, fill: Fill) -> bool:
        """Gives the right back without a reply, so that another may have it at once; False where it held no more.

        Then its owner tells no more of its flight, though a purge revoked the right to store before.
        """
        ...

    async def purge(self, scope: str | None) -> int:
        """Forgets every reply of the scope (None: of all scopes) and revokes its fills; how many replies there were.

        They are out of reach at once; a store may free their memory later, at latest when they would have expired.
        """
        ...

    async def scopes(self) -> Sequence[str]:
        """Those in use, in no order: something was stored, asked for or counted. Unused ones may be forgotten."""
        ...

    async def count(self, scope: str, uses: Mapping[str, CacheUse]) -> None:
        """Adds to the scope's counts, by the name of the model. Nothing else here counts uses; callers gather them.

        Not idempotent: repeated after StateUnavailable, it may count twice.
        """
        ...

    async def stats(self, scope: str | None = None) -> CacheStats:
        """Of the scope, or the sum over all. Counts of scopes not used lately may have been forgotten."""
        ...


LARGEST_ENTRY_BYTES = 1_048_576
"""The default bound of one body."""
