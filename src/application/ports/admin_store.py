from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from domain.audit import AuditEntry, Change
from domain.pages import Page

T = TypeVar("T")


class AlreadyThere(Exception):
    """Something with that id, or that unique name, exists. The message says what."""


class ChangedMeanwhile(Exception):
    """What was to be changed is not (any more) as `before` says. Nothing was changed. Read it again."""


class StillInUse(Exception):
    """Others refer to it. The message says what to remove first."""


class AdminStore(Protocol):
    """What administrators set: User, Team, Membership, VirtualKey, BudgetTerms and PriceOverride.

    Ids (`domain.stored.id_of`): of a Membership `team:user`; of BudgetTerms the budget id (`team:T`); of a
    PriceOverride `provider/model@effective_at_us`; of the others their own. All raise StateUnavailable where the store
    is away, and ValueError for any other kind.
    """

    async def get(self, kind: type[T], item_id: str) -> T | None:
        """The item of that kind; None where there is none."""
        ...

    async def page(
        self, kind: type[T], limit: int, after: str | None = None, where: Mapping[str, str] | None = None
    ) -> Page[T]:
        """Items in the order of the code points of their ids, those where every field in `where` has that very value.

        Fields (`domain.stored.FILTERS`): `user_id` and `team_id` (Membership, VirtualKey), `email` (User), `name`
        (Team), `provider` and `model` (PriceOverride), `owner` (BudgetTerms, such as `team:T`).

        Raises:
            ValueError: Another field; a limit not from 1 to `MOST_ITEMS`; an `after` that no page of that kind gave.
        """
        ...

    async def apply(self, changes: Sequence[Change[Any]], actor: str) -> Sequence[AuditEntry]:
        """Makes all changes in one transaction, or none, each with its entry in the audit log. In order.

        Removing a team or a user removes its memberships and its budgets (those of its members, too), without entries
        of their own; its keys must be gone before (revoked ones stay for ever and keep its id). Removing a key removes
        its budget. Removing a membership leaves its budget and its keys, which open nothing until it is back.

        Raises:
            AlreadyThere: An added item exists, or another has its email (User), name (Team) or digest (VirtualKey).
            ChangedMeanwhile: A replaced or removed item is not as `before`.
            StillInUse: A removed item has keys, or one that is to be there names a user, team or key that is not (but
                a key that is revoked may).
            ValueError: The actor is no name, a number does not fit in 64 bits, or a change is not of one item.
            StateUnavailable: Nothing was changed; or, where the store went away at the very end, all of it was.
        """
        ...
