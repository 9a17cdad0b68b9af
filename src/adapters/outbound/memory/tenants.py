"""What administrators have set, in one process."""

from collections.abc import Sequence
from typing import Any, TypeAlias, TypeVar

from application.ports.admin_store import AlreadyThere, ChangedMeanwhile, StillInUse
from domain.audit import AuditEntry, Change
from domain.budget.terms import BudgetTerms
from domain.stored import NOUNS, Stored, changed, id_of, member_of, needs_of, shown, unique_of
from domain.tenants import Membership, Team, User
from domain.virtual_key import VirtualKey

T = TypeVar("T")
Items: TypeAlias = dict[type, dict[str, Any]]


class MemoryTenants:
    """Items by kind and id, the log of their changes, and keys by their digests."""

    def __init__(self) -> None:
        self._items: Items = {kind: {} for kind in NOUNS}
        self._key_ids: dict[bytes, str] = {}
        self.log: list[AuditEntry] = []

    def of(self, kind: type[T]) -> dict[str, T]:
        """All items of a kind, by their ids."""
        return self._items[kind]

    def key_of(self, digest: bytes) -> VirtualKey | None:
        """The key with that digest."""
        key_id = self._key_ids.get(digest)
        return None if key_id is None else self.of(VirtualKey)[key_id]

    def make(self, changes: Sequence[Change[Any]], entries: Sequence[AuditEntry]) -> None:
        """Makes all changes and logs their entries, or nothing. Raises as `AdminStore.apply`."""
        tried = {kind: dict(items) for kind, items in self._items.items()}
        for change in changes:
            _make(tried, change)
        self._items = tried
        self._key_ids = {key.digest: key.id for key in self.of(VirtualKey).values()}
        self.log.extend(entries)


def _make(items: Items, change: Change[Any]) -> None:
    kind, item_id = changed(change)
    there = items[kind].get(item_id)
    if change.before is None and there is not None:
        raise AlreadyThere(f"{shown(kind, item_id)} exists")
    if there != change.before:
        raise ChangedMeanwhile(f"{shown(kind, item_id)} is not any more as it was")
    for needed, needed_id in needs_of(change):
        if needed_id not in items[needed]:
            raise StillInUse(f"there is no {shown(needed, needed_id).removeprefix('the ')}")
    if change.after is None:
        _clear(items, kind, item_id)
        del items[kind][item_id]
    else:
        _expect_unique(items[kind], item_id, change.after)
        items[kind][item_id] = change.after


def _expect_unique(others: dict[str, Any], item_id: str, item: Stored) -> None:
    unique = unique_of(item)
    if unique is None:
        return
    for other_id, other in others.items():
        if other_id != item_id and unique_of(other) == unique:
            raise AlreadyThere(f"{shown(type(item), id_of(other))} has that {unique[0]}")


def _clear(items: Items, kind: type, item_id: str) -> None:
    """Removes what goes with an item."""
    memberships, budgets = items[Membership], items[BudgetTerms]
    if kind is VirtualKey:
        budgets.pop(f"key:{item_id}", None)
    if kind is not User and kind is not Team:
        return
    holder = "user_id" if kind is User else "team_id"
    keys = (key for key in items[VirtualKey].values() if key.revoked_at_us is None)
    key_ids = [key.id for key in keys if getattr(key, holder) == item_id]
    if key_ids:
        raise StillInUse(f"{shown(kind, item_id)} has keys, such as {min(key_ids)!r}: revoke them first")
    for name in [name for name, item in memberships.items() if getattr(item, holder) == item_id]:
        del memberships[name]
    for name in [name for name, terms in budgets.items() if member_of(terms.owner)[kind is User] == item_id]:
        del budgets[name]
