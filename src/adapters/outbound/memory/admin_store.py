from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from adapters.outbound.memory.tenants import MemoryTenants
from application.ports.admin_store import AdminStore
from application.ports.clock import Clock
from domain.audit import AuditEntry, Change
from domain.audited import entry_of
from domain.cursor import cursor_of, place_of
from domain.pages import Page, check_page_size
from domain.stored import changed, checked_filters, filtered_by, noun_of

T = TypeVar("T")


class MemoryAdminStore:
    """Never waits, so that nobody sees a change half made."""

    def __init__(self, tenants: MemoryTenants, clock: Clock) -> None:
        self._tenants = tenants
        self._clock = clock

    async def get(self, kind: type[T], item_id: str) -> T | None:
        noun_of(kind)
        return self._tenants.of(kind).get(item_id)

    async def page(
        self, kind: type[T], limit: int, after: str | None = None, where: Mapping[str, str] | None = None
    ) -> Page[T]:
        listing = noun_of(kind)
        check_page_size(limit)
        filters = checked_filters(kind, where)
        last = "" if after is None else place_of(listing, after)
        items: Mapping[str, Any] = self._tenants.of(kind)
        found = sorted(
            item_id
            for item_id, item in items.items()
            if item_id > last and all(filtered_by(item, field) == value for field, value in filters.items())
        )
        page = tuple(items[item_id] for item_id in found[:limit])
        return Page(page, cursor_of(listing, found[limit - 1]) if len(found) > limit else None)

    async def apply(self, changes: Sequence[Change[Any]], actor: str) -> Sequence[AuditEntry]:
        for change in changes:
            changed(change)
        at_us, first = self._clock.now_us(), len(self._tenants.log) + 1
        entries = [entry_of(change, revision, at_us, actor) for revision, change in enumerate(changes, first)]
        self._tenants.make(changes, entries)
        return entries


_conforms: type[AdminStore] = MemoryAdminStore
