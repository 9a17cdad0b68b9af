"""What all use cases of administrators have in common: their store, as clients are told of it."""

from typing import Any, TypeVar

from application.administration.patching import legal
from application.errors import AlreadyExists, Conflict, InUse, ItemNotFound
from application.ports.admin_store import AdminStore, AlreadyThere, ChangedMeanwhile, StillInUse
from domain.audit import Change
from domain.pages import Page
from domain.principal import Principal

T = TypeVar("T")


async def apply(store: AdminStore, principal: Principal, *changes: Change[Any], unique: str | None = None) -> None:
    """Makes the changes, all or none; those that change nothing are left out.

    `unique` is the field that no two of a kind may share.

    Raises:
        AlreadyExists: There is one with that field already.
        Conflict: Something was changed meanwhile.
        InUse: Something that is to go is still referred to.
    """
    real = [change for change in changes if change.before != change.after]
    if not real:
        return
    try:
        await store.apply(real, principal.actor)
    except AlreadyThere as error:
        raise AlreadyExists(str(error), param=unique) from None
    except ChangedMeanwhile:
        raise Conflict("Somebody else changed this at the same moment: read it again, then try once more.") from None
    except StillInUse as error:
        raise InUse(str(error)) from None


async def page(
    store: AdminStore, kind: type[T], limit: int, after: str | None, where: dict[str, str | None] | None = None
) -> Page[T]:
    """A page of the store's. Raises InvalidRequest where `after` is no cursor."""
    asked = {name: value for name, value in (where or {}).items() if value is not None}
    with legal("after"):
        return await store.page(kind, limit, after, asked or None)


def missing(what: str, item_id: str) -> ItemNotFound:
    """The error for what is not there, or what the caller may not know of: one for both."""
    return ItemNotFound(f"There is no {what} {item_id[:100]!r}.")
