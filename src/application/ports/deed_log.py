from typing import Protocol

from domain.audit import AuditEntry, Deed


class DeedLog(Protocol):
    """The audit log, for what is done to things that AdminStore does not hold."""

    async def note_deed(self, deed: Deed, actor: str) -> AuditEntry:
        """Writes an entry, in one order with those of changes. Raises StateUnavailable."""
        ...
