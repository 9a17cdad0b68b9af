from collections.abc import Sequence

from adapters.outbound.memory.tenants import MemoryTenants
from application.ports.audit_log import AuditLog
from domain.audit import AuditEntry
from domain.audited import cursor_after, revision_before
from domain.pages import Page, check_page_size


class MemoryAuditLog:
    """What MemoryAdminStore has noted. The entry of revision n is number n - 1."""

    def __init__(self, tenants: MemoryTenants) -> None:
        self._tenants = tenants

    async def page(self, limit: int, after: str | None = None, target: str | None = None) -> Page[AuditEntry]:
        check_page_size(limit)
        log = self._tenants.log
        earlier = log if after is None else log[: max(0, revision_before(after) - 1)]
        found = [entry for entry in reversed(earlier) if target is None or entry.target == target]
        return Page(tuple(found[:limit]), cursor_after(found[limit - 1]) if len(found) > limit else None)

    async def since(self, revision: int, limit: int) -> Sequence[AuditEntry]:
        start = max(0, revision)
        return self._tenants.log[start : start + limit]

    async def latest(self) -> int:
        return len(self._tenants.log)


_conforms: type[AuditLog] = MemoryAuditLog
