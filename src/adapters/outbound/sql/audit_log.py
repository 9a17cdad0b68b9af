from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.outbound.sql.failures import reading
from adapters.outbound.sql.kinds import is_storable
from adapters.outbound.sql.tables import METADATA
from application.ports.audit_log import AuditLog
from domain.audit import AuditEntry
from domain.audited import cursor_after, revision_before
from domain.pages import Page, check_page_size

_LOG = METADATA.tables["audit_log"]
_COUNTERS = METADATA.tables["counters"].c
_ENTRIES = select(*(_LOG.c[name] for name in ("revision", "at_us", "actor", "action", "target", "before", "after")))


class SqlAuditLog:
    """What SqlAdminStore has written."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def page(self, limit: int, after: str | None = None, target: str | None = None) -> Page[AuditEntry]:
        check_page_size(limit)
        statement = _ENTRIES.order_by(_LOG.c.revision.desc()).limit(limit + 1)
        if after is not None:
            statement = statement.where(_LOG.c.revision < revision_before(after))
        if target is not None:
            if not is_storable(target):
                return Page(())
            statement = statement.where(_LOG.c.target == target)
        async with reading(self._engine) as connection:
            found = [AuditEntry(*row) for row in await connection.execute(statement)]
        return Page(tuple(found[:limit]), cursor_after(found[limit - 1]) if len(found) > limit else None)

    async def since(self, revision: int, limit: int) -> Sequence[AuditEntry]:
        statement = _ENTRIES.where(_LOG.c.revision > revision).order_by(_LOG.c.revision).limit(limit)
        async with reading(self._engine) as connection:
            return [AuditEntry(*row) for row in await connection.execute(statement)]

    async def latest(self) -> int:
        statement = select(_COUNTERS.value).where(_COUNTERS.name == "revision")
        async with reading(self._engine) as connection:
            return int((await connection.execute(statement)).scalar_one())


_conforms: type[AuditLog] = SqlAuditLog
