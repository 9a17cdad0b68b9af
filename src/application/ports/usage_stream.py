from collections.abc import Sequence
from typing import Protocol

from domain.usage_stream import DeadLetter, UsageDepth, UsageEntry


class UsageStream(Protocol):
    """Usage records between the gateways and the ledger. Nothing is dropped before it is acknowledged.

    Delivery is at least once: a record is delivered again when its consumer went silent, so the ledger must be
    idempotent by record id (request id and attempt). Each method is atomic for each record. Raises StateUnavailable
    where the store does not answer. A store that was emptied goes on empty; journals fill it again.
    """

    async def append(self, record: bytes, record_id: str) -> bool:
        """Adds a record; False, and no change, while one of that id is here, alive, dead or discarded."""
        ...

    async def read(self, consumer: str, count: int, block_us: int) -> Sequence[UsageEntry]:
        """Up to `count` records that were never delivered, now pending for `consumer`; their order is roughly kept.

        Where there is none, waits up to `block_us` for some; 0 does not wait. Cancelled, it may leave records
        pending, which turn stale.
        """
        ...

    async def claim_stale(self, consumer: str, min_idle_us: int, count: int) -> Sequence[UsageEntry]:
        """Up to `count` pending records that were neither delivered nor kept for `min_idle_us`, for `consumer` now.

        Ask until there are none. Whoever had them may still acknowledge them. `min_idle_us` is rounded up to ms.
        """
        ...

    async def keep(self, consumer: str, record_ids: Sequence[str]) -> Sequence[str]:
        """Makes the records that are still pending for `consumer` young again, not a delivery; answers their ids."""
        ...

    async def acknowledge(self, record_ids: Sequence[str]) -> int:
        """Forgets records that are in the ledger or discarded; how many were here alive. Dead letters stay."""
        ...

    async def dead_letter(self, entry: UsageEntry, error: str) -> bool:
        """Puts a record aside with the reason why; False where it is not here (any more)."""
        ...

    async def list_dead(self, limit: int, after: str | None = None) -> tuple[Sequence[DeadLetter], str | None]:
        """A page of dead letters, oldest first, and `after` for the next; None on the last. ValueError for others."""
        ...

    async def replay(self, record_id: str) -> bool:
        """Makes a dead letter a new record, with no deliveries; False where there is no such dead letter."""
        ...

    async def discard(self, record_id: str) -> bool:
        """Forgets a dead letter, all but its id, until that is acknowledged; False where there is none."""
        ...

    async def discarded(self, record_ids: Sequence[str]) -> Sequence[str]:
        """Which of these were discarded: a journal that still has them forgets them, and then acknowledges."""
        ...

    async def depth(self) -> UsageDepth:
        """How many records there are; not one instant over all shards."""
        ...
