from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.outbound.sql.audit_rows import append, raised_revision
from adapters.outbound.sql.failures import writing
from application.ports.clock import Clock
from application.ports.deed_log import DeedLog
from domain.audit import AuditEntry, Deed
from domain.audited import printable


class SqlDeedLog:
    """Entries in the table of SqlAdminStore's."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def note_deed(self, deed: Deed, actor: str) -> AuditEntry:
        async with writing(self._engine) as connection:
            revision = await raised_revision(connection, 1)
            at_us, target = self._clock.now_us(), printable(deed.target)
            entry = AuditEntry(revision, at_us, actor, deed.action, target, None, deed.after)
            await append(connection, [entry])
        return entry


_conforms: type[DeedLog] = SqlDeedLog
