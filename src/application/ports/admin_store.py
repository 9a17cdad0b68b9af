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

    Ids: of a Membership `team:user`; of BudgetTerms the budget id (`team:T`); of a PriceOverride
    `provider/model@effective_at_us`; of the others their own. All raise StateUnavailable where the store is away.
    """

    async def get(self, kind: type[T], item_id: str) -> T | None:
        """The item of that kind; None where there is none."""
        ...

    async def page(
        self, kind: type[T], limit: int, after: str | None = None, where: Mapping[str, str] | None = None
    ) -> Page[T]:
        """Items in the order of their ids, those where every field named in `where` has that value.

        Fields: `user_id` and `team_id` (Membership, VirtualKey), `email` (User), `name` (Team), `provider` and `model`
        (PriceOverride), `owner` (BudgetTerms, such as `team:T`). Any other is a ValueError.
        """
        ...

    async def apply(self, changes: Sequence[Change[Any]], actor: str) -> Sequence[AuditEntry]:
        """Makes all changes in one transaction, or none, each with its entry in the audit log. In order.

        Removing a team or a user removes its memberships and its budgets; its keys must be gone before (revoked ones
        stay for ever and keep its id).

        Raises:
            AlreadyThere: An added item exists.
            ChangedMeanwhile: A replaced or removed item is not as `before`.
            StillInUse: A removed item has keys, or an added one names a user or team that does not exist.
        """
        ...
