from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.outbound.sql.failures import reading
from adapters.outbound.sql.kinds import kind_of
from application.ports.keyring import Keyring
from domain.budget.terms import BudgetTerms
from domain.grant import Grant
from domain.tenants import Membership, Team, User
from domain.virtual_key import VirtualKey

_KINDS: tuple[type, ...] = (VirtualKey, User, Team, Membership, BudgetTerms)
_KEY, _USER, _TEAM, _MEMBERSHIP, _BUDGET = (kind_of(kind).table for kind in _KINDS)

# One statement is one snapshot. A row for each of the (at most three) budgets. What is NULL of a name makes it NULL,
# and a budget's id is none of those.
_BUDGET_IDS = (
    literal("key:") + _KEY.c.id,
    literal("member:") + _KEY.c.team_id + literal(":") + _KEY.c.user_id,
    func.coalesce(literal("team:") + _KEY.c.team_id, literal("user:") + _KEY.c.user_id),
)
_GRANT = (
    select(_KEY, _USER, _TEAM, _MEMBERSHIP, _BUDGET)
    .select_from(_KEY)
    .outerjoin(_USER, _USER.c.id == _KEY.c.user_id)
    .outerjoin(_TEAM, _TEAM.c.id == _KEY.c.team_id)
    .outerjoin(_MEMBERSHIP, and_(_MEMBERSHIP.c.team_id == _KEY.c.team_id, _MEMBERSHIP.c.user_id == _KEY.c.user_id))
    .outerjoin(_BUDGET, or_(*(_BUDGET.c.id == budget_id for budget_id in _BUDGET_IDS)))
    .order_by(_BUDGET.c.id)
)


class SqlKeyring:
    """Keys with what belongs to them, in one query."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def grant_of(self, digest: bytes) -> Grant | None:
        async with reading(self._engine) as connection:
            rows = (await connection.execute(_GRANT.where(_KEY.c.digest == digest))).all()
        if not rows:
            return None
        found = [_items_of(row) for row in rows]
        key, user, team, membership, _ = found[0]
        return Grant(key, user, team, membership, tuple(items[-1] for items in found if items[-1] is not None))


def _items_of(row: Sequence[Any]) -> list[Any]:
    """The item of each table; None where the join found nothing. The ids come first, and no id is NULL."""
    items: list[Any] = []
    start = 0
    for kind in map(kind_of, _KINDS):
        names = kind.table.c.keys()
        values = row[start : start + len(names)]
        start += len(names)
        items.append(None if values[0] is None else kind.item_of(dict(zip(names, values, strict=True))))
    return items


_conforms: type[Keyring] = SqlKeyring
