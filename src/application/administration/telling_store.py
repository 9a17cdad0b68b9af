from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from application.change_feed import Follower
from application.ports.admin_store import AdminStore
from domain.audit import AuditEntry, Change
from domain.pages import Page

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TellingAdminStore:
    """A store that tells this process's followers of a change before it answers: they need not wait for the feed.

    Whoever has rotated or revoked a key, and asks the same process with the old secret, is refused at once.
    """

    store: AdminStore
    followers: Sequence[Follower]

    async def get(self, kind: type[T], item_id: str) -> T | None:
        """As the port says."""
        return await self.store.get(kind, item_id)

    async def page(
        self, kind: type[T], limit: int, after: str | None = None, where: Mapping[str, str] | None = None
    ) -> Page[T]:
        """As the port says."""
        return await self.store.page(kind, limit, after, where)

    async def apply(self, changes: Sequence[Change[Any]], actor: str) -> Sequence[AuditEntry]:
        """As the port says."""
        try:
            return await self.store.apply(changes, actor)
        finally:
            # Also where it failed: a change whose answer was lost may have been made.
            for change in changes:
                for follower in self.followers:
                    follower.changed(change.target)


_conforms: type[AdminStore] = TellingAdminStore
