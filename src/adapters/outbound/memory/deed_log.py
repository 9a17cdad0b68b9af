from adapters.outbound.memory.tenants import MemoryTenants
from application.ports.clock import Clock
from application.ports.deed_log import DeedLog
from domain.audit import AuditEntry, Deed
from domain.audited import printable


class MemoryDeedLog:
    """Entries among those of MemoryAdminStore."""

    def __init__(self, tenants: MemoryTenants, clock: Clock) -> None:
        self._tenants = tenants
        self._clock = clock

    async def note_deed(self, deed: Deed, actor: str) -> AuditEntry:
        log, at_us = self._tenants.log, self._clock.now_us()
        entry = AuditEntry(len(log) + 1, at_us, actor, deed.action, printable(deed.target), None, deed.after)
        log.append(entry)
        return entry


_conforms: type[DeedLog] = MemoryDeedLog
