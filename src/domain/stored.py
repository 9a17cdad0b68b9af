"""What administrators set, as stores keep it: by which id, unlike which others, and because of what else."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from domain.audit import Change
from domain.budget.terms import BudgetOwner, BudgetTerms, OwnerKind
from domain.price_override import PriceOverride
from domain.tenants import Membership, Team, User
from domain.virtual_key import VirtualKey

Stored: TypeAlias = User | Team | Membership | VirtualKey | BudgetTerms | PriceOverride

NOUNS: Mapping[type[Any], str] = MappingProxyType(
    {
        User: "user",
        Team: "team",
        Membership: "membership",
        VirtualKey: "key",
        BudgetTerms: "budget",
        PriceOverride: "price",
    }
)
"""The kinds of items, and what people call them."""

FILTERS: Mapping[type, frozenset[str]] = MappingProxyType(
    {
        User: frozenset({"email"}),
        Team: frozenset({"name"}),
        Membership: frozenset({"user_id", "team_id"}),
        VirtualKey: frozenset({"user_id", "team_id"}),
        BudgetTerms: frozenset({"owner"}),
        PriceOverride: frozenset({"provider", "model"}),
    }
)
"""By which fields items can be looked for."""


def noun_of(kind: type) -> str:
    """What people call items of that kind.

    Raises:
        ValueError: It is none.
    """
    noun = NOUNS.get(kind)
    if noun is None:
        raise ValueError(f"expected a kind that administrators set, found {kind.__name__}")
    return noun


def shown(kind: type, item_id: str) -> str:
    """An item as messages name it: `the team 'T'`."""
    return f"the {noun_of(kind)} {item_id!r}"


def id_of(item: Stored) -> str:
    """Its id, unique within its kind."""
    match item:
        case Membership():
            return f"{item.team_id}:{item.user_id}"
        case BudgetTerms():
            return item.owner.budget_id
        case PriceOverride():
            return f"{item.provider}/{item.model}@{item.effective_at_us}"
        case _:
            return item.id


def unique_of(item: Stored) -> tuple[str, str | bytes] | None:
    """The field besides the id that no two of its kind have in common, and its value; None where there is none."""
    match item:
        case User():
            return "email", item.email
        case Team():
            return "name", item.name
        case VirtualKey():
            return "digest", item.digest
        case _:
            return None


def filtered_by(item: Stored, field: str) -> str | None:
    """What the item has in that field of `FILTERS`."""
    value: str | None = id_of(item) if field == "owner" else getattr(item, field)
    return value


def checked_filters(kind: type, where: Mapping[str, str] | None) -> Mapping[str, str]:
    """`where` itself; nothing for None.

    Raises:
        ValueError: It is no kind, or it can't be looked for by one of the fields.
    """
    noun = noun_of(kind)
    for field in where or ():
        if field not in FILTERS[kind]:
            raise ValueError(f"expected one of {', '.join(sorted(FILTERS[kind]))} to find a {noun} by, found {field!r}")
    return where or {}


def changed(change: Change[Any]) -> tuple[type[Stored], str]:
    """Kind and id of what a change is about.

    Raises:
        ValueError: It is no kind, or what is before and what is after are not the same item.
    """
    items = [item for item in (change.before, change.after) if item is not None]
    names = {shown(type(item), id_of(item)) for item in items if noun_of(type(item))}
    if len(names) > 1:
        raise ValueError(f"expected a change of one item, found {' and '.join(sorted(names))}")
    return type(items[0]), id_of(items[0])


def needs_of(change: Change[Any]) -> tuple[tuple[type[Stored], str], ...]:
    """Kinds and ids of what must be there when it is made."""
    after = change.after
    if after is None or (
        isinstance(after, VirtualKey) and change.before is not None and after.revoked_at_us is not None
    ):
        return ()  # a revoked key may outlive whom it was given to
    return tuple(_needs(after))


def member_of(owner: BudgetOwner) -> tuple[str | None, str | None]:
    """The team and the user with whom a budget goes."""
    match owner.kind:
        case OwnerKind.TEAM:
            return owner.id, None
        case OwnerKind.USER:
            return None, owner.id
        case OwnerKind.MEMBER:
            team_id, _, user_id = owner.id.partition(":")
            return team_id, user_id
        case OwnerKind.KEY:
            return None, None


def _needs(item: Stored) -> Iterator[tuple[type[Stored], str]]:
    team_id: str | None = None
    user_id: str | None = None
    match item:
        case Membership() | VirtualKey():
            team_id, user_id = item.team_id, item.user_id
        case BudgetTerms(owner=owner):
            team_id, user_id = member_of(owner)
            if owner.kind is OwnerKind.KEY:
                yield VirtualKey, owner.id
        case _:
            pass
    if team_id is not None:
        yield Team, team_id
    if user_id is not None:
        yield User, user_id
