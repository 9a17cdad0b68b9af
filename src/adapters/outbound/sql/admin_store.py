from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.outbound.sql.audit_rows import append, raised_revision
from adapters.outbound.sql.failures import reading, writing
from adapters.outbound.sql.kinds import is_storable, kind_of
from adapters.outbound.sql.tenant_changes import item_at, make
from application.ports.admin_store import AdminStore
from application.ports.clock import Clock
from domain.audit import AuditEntry, Change
from domain.audited import entry_of
from domain.cursor import cursor_of, place_of
from domain.pages import Page, check_page_size
from domain.stored import changed, checked_filters, id_of, noun_of

T = TypeVar("T")


class SqlAdminStore:
    """Items in tables, one for each kind."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def get(self, kind: type[T], item_id: str) -> T | None:
        kind_of(kind)
        if not is_storable(item_id):
            return None
        async with reading(self._engine) as connection:
            item: T | None = await item_at(connection, kind, item_id)
            return item

    async def page(
        self, kind: type[T], limit: int, after: str | None = None, where: Mapping[str, str] | None = None
    ) -> Page[T]:
        of, listing = kind_of(kind), noun_of(kind)
        check_page_size(limit)
        filters = checked_filters(kind, where)
        statement = select(of.table).order_by(of.table.c.id).limit(limit + 1)
        if after is not None:
            statement = statement.where(of.table.c.id > place_of(listing, after))
        if not all(map(is_storable, filters.values())):
            return Page(())
        statement = statement.where(*(of.column(field) == value for field, value in filters.items()))
        async with reading(self._engine) as connection:
            rows = (await connection.execute(statement)).mappings().all()
        items = tuple(of.item_of(row) for row in rows[:limit])
        return Page(items, cursor_of(listing, id_of(items[-1])) if len(rows) > limit else None)

    async def apply(self, changes: Sequence[Change[Any]], actor: str) -> Sequence[AuditEntry]:
        for change in changes:
            changed(change)
        if not changes:
            return []
        async with writing(self._engine) as connection:
            # First of all: whoever holds the counter is alone, sees what all before have done, and commits before all
            # who come later. So nothing that is read below changes meanwhile, and revisions become visible in order.
            last = await raised_revision(connection, len(changes))
            at_us = self._clock.now_us()
            entries = [
                entry_of(change, revision, at_us, actor)
                for revision, change in enumerate(changes, last - len(changes) + 1)
            ]
            for change in changes:
                await make(connection, change)
            await append(connection, entries)
        return entries


_conforms: type[AdminStore] = SqlAdminStore
