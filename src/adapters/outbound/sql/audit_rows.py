"""Entries of the audit log as rows, and the counter that puts them in order."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.outbound.sql.tables import METADATA
from domain.audit import AuditEntry

_AUDIT_LOG = METADATA.tables["audit_log"]
_COUNTERS = METADATA.tables["counters"]


async def append(connection: AsyncConnection, entries: Sequence[AuditEntry]) -> None:
    """Writes entries whose revisions were raised in this transaction."""
    await connection.execute(insert(_AUDIT_LOG), [_row(entry) for entry in entries])


async def raised_revision(connection: AsyncConnection, by: int) -> int:
    """The last of `by` new revisions. Until the transaction ends, nobody else gets one."""
    raised = (
        update(_COUNTERS)
        .where(_COUNTERS.c.name == "revision")
        .values(value=_COUNTERS.c.value + by)
        .returning(_COUNTERS.c.value)
    )
    return int((await connection.execute(raised)).scalar_one())


def _row(entry: AuditEntry) -> dict[str, Any]:
    return {
        "revision": entry.revision,
        "at_us": entry.at_us,
        "actor": entry.actor,
        "action": entry.action,
        "target": entry.target,
        "before": entry.before,
        "after": entry.after,
    }
