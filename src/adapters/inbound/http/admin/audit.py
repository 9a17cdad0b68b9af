"""What was changed, by whom."""

import json
from typing import Any

from adapters.inbound.http.admin.route import AnyRoute, Asked, Method, Route
from adapters.inbound.http.admin.schema import Listing, NoFields, PageQuery, Schema
from adapters.inbound.http.admin.wire import TimeOut
from application.use_cases.admin.audit import ReadAudit
from domain.audit import AuditEntry
from domain.principal import Permission


class AuditShown(Schema):
    """One change. `before` and `after` are the item as the gateway holds it, without secrets; null for nothing."""

    revision: int
    at: TimeOut
    actor: str
    action: str
    target: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class AuditList(Listing[AuditShown]):
    """Changes, the latest first. A page can be short, or empty, and not the last."""


class AuditQuery(PageQuery):
    """Which changes: of one target, such as `key:K`, `team:T`, `budget:team:T`, `price:openai/gpt-4o`."""

    target: str | None = None


def audit_routes(read_audit: ReadAudit) -> tuple[AnyRoute, ...]:
    """`GET /audit`."""

    async def every(asked: Asked[NoFields, AuditQuery]) -> AuditList:
        query = asked.query
        page = await read_audit(asked.principal, query.limit, query.after, query.target)
        return AuditList(data=[_shown(entry) for entry in page.items], next=page.next)

    return (
        Route(
            method=Method.GET,
            path="/audit",
            permission=Permission.SEE_TENANTS,
            summary="Every change: who, when, what, before and after",
            handler=every,
            query=AuditQuery,
            response=AuditList,
        ),
    )


def _shown(entry: AuditEntry) -> AuditShown:
    return AuditShown(
        revision=entry.revision,
        at=entry.at_us,
        actor=entry.actor,
        action=entry.action,
        target=entry.target,
        before=None if entry.before is None else json.loads(entry.before),
        after=None if entry.after is None else json.loads(entry.after),
    )
