from collections.abc import Sequence
from typing import Protocol

from domain.audit import AuditEntry
from domain.pages import Page


class AuditLog(Protocol):
    """What was changed through AdminStore, in the order in which it took effect. All raise StateUnavailable."""

    async def page(self, limit: int, after: str | None = None, target: str | None = None) -> Page[AuditEntry]:
        """Entries, the latest first; of one target where that is given.

        Raises:
            ValueError: A limit not from 1 to `MOST_ITEMS`, or an `after` that no page gave.
        """
        ...

    async def since(self, revision: int, limit: int) -> Sequence[AuditEntry]:
        """The first `limit` entries after `revision`, oldest first. Whoever follows it misses no change.

        An entry is seen when its change is, and after all entries of earlier revisions: there is no gap to wait for.
        """
        ...

    async def latest(self) -> int:
        """The last revision; 0 where nothing was ever changed."""
        ...
