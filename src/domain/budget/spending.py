"""Which records of the ledger count against a budget."""

from collections.abc import Mapping

from domain.budget.charge import BudgetId
from domain.budget.terms import OwnerKind


def spender(budget: BudgetId) -> Mapping[str, str | None]:
    """What a record's fields are where it counts against this budget; None for a field that is absent.

    Raises:
        ValueError: It is no id that an owner of a budget has.
    """
    kind, _, owner = budget.partition(":")
    match kind:
        case OwnerKind.KEY:
            return {"key_id": owner}
        case OwnerKind.TEAM:
            return {"team_id": owner}
        case OwnerKind.USER:
            return {"team_id": None, "user_id": owner}
        case OwnerKind.MEMBER if ":" in owner:
            team_id, _, user_id = owner.partition(":")
            return {"team_id": team_id, "user_id": user_id}
    raise ValueError(f"expected the id of a budget such as team:T or member:T:U, found {budget!r}")
