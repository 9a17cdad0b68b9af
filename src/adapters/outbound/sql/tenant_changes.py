"""The changes of one transaction, whose caller is the only one to change anything."""

from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.outbound.sql.kinds import is_storable, kind_of
from application.ports.admin_store import AlreadyThere, ChangedMeanwhile, StillInUse
from domain.audit import Change
from domain.budget.terms import BudgetTerms
from domain.stored import Stored, changed, needs_of, shown, unique_of
from domain.tenants import Membership, Team, User
from domain.virtual_key import VirtualKey

_KEYS = kind_of(VirtualKey).table.c


async def item_at(connection: AsyncConnection, kind: type, item_id: str) -> Any:
    """The item of that kind and id; None where there is none."""
    of = kind_of(kind)
    row = (await connection.execute(select(of.table).where(of.table.c.id == item_id))).mappings().one_or_none()
    return None if row is None else of.item_of(row)


async def make(connection: AsyncConnection, change: Change[Any]) -> None:
    """Makes one change. Raises as `AdminStore.apply`."""
    kind, item_id = changed(change)
    table, row_of = kind_of(kind).table, kind_of(kind).row_of
    there = await item_at(connection, kind, item_id) if is_storable(item_id) else None
    if change.before is None and there is not None:
        raise AlreadyThere(f"{shown(kind, item_id)} exists")
    if there != change.before:
        raise ChangedMeanwhile(f"{shown(kind, item_id)} is not any more as it was")
    for needed in needs_of(change):
        await _expect(connection, *needed)
    if change.after is None:
        await _clear(connection, kind, item_id)
        await connection.execute(delete(table).where(table.c.id == item_id))
        return
    await _expect_unique(connection, kind, item_id, change.after)
    if there is None:
        await connection.execute(insert(table), row_of(change.after))
    else:
        await connection.execute(update(table).where(table.c.id == item_id), row_of(change.after))


async def _expect(connection: AsyncConnection, kind: type, item_id: str) -> None:
    if not is_storable(item_id) or await item_at(connection, kind, item_id) is None:
        raise StillInUse(f"there is no {shown(kind, item_id).removeprefix('the ')}")


async def _expect_unique(connection: AsyncConnection, kind: type, item_id: str, item: Stored) -> None:
    unique = unique_of(item)
    if unique is None:
        return
    field, value = unique
    table = kind_of(kind).table
    other = (
        await connection.execute(select(table.c.id).where(table.c[field] == value, table.c.id != item_id))
    ).scalar_one_or_none()
    if other is not None:
        raise AlreadyThere(f"{shown(kind, other)} has that {field}")


async def _clear(connection: AsyncConnection, kind: type, item_id: str) -> None:
    """Removes what goes with an item."""
    if kind is VirtualKey:
        budgets = kind_of(BudgetTerms).table
        await connection.execute(delete(budgets).where(budgets.c.id == f"key:{item_id}"))
    if kind is not User and kind is not Team:
        return
    holder = "user_id" if kind is User else "team_id"
    key_id = (
        await connection.execute(
            select(_KEYS.id).where(_KEYS[holder] == item_id, _KEYS.revoked_at_us.is_(None)).order_by(_KEYS.id).limit(1)
        )
    ).scalar_one_or_none()
    if key_id is not None:
        raise StillInUse(f"{shown(kind, item_id)} has keys, such as {key_id!r}: revoke them first")
    for table in (kind_of(Membership).table, kind_of(BudgetTerms).table):
        await connection.execute(delete(table).where(table.c[holder] == item_id))
