from collections.abc import Sequence
from typing import Protocol

from domain.audit import AuditEntry
from domain.pages import Page


class AuditLog(Protocol):
    """What was changed through AdminStore, in the order in which it took effect. Both raise StateUnavailable."""

    async def page(self, limit: int, after: str | None = None, target: str | None = None) -> Page[AuditEntry]:
        """Entries, the latest first; of one target where that is given."""
        ...

    async def since(self, revision: int, limit: int) -> Sequence[AuditEntry]:
        """The first `limit` entries after `revision`, oldest first. Whoever follows it misses no change."""
        ...

    async def latest(self) -> int:
        """The last revision; 0 where nothing was ever changed."""
        ...
