"""Which records of the ledger count against a budget."""

from collections.abc import Mapping

from domain.budget.charge import BudgetId
from domain.budget.terms import OwnerKind
from domain.usage_record import UsageRecord


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


def budgets_of(record: UsageRecord) -> tuple[BudgetId, ...]:
    """What a record counts against, if it is set: its key, its member, and its team, or its user where it has none."""
    found: list[str] = []
    if record.key_id is not None:
        found.append(f"{OwnerKind.KEY}:{record.key_id}")
    if record.team_id is not None and record.user_id is not None:
        found.append(f"{OwnerKind.MEMBER}:{record.team_id}:{record.user_id}")
    if record.team_id is not None:
        found.append(f"{OwnerKind.TEAM}:{record.team_id}")
    elif record.user_id is not None:
        found.append(f"{OwnerKind.USER}:{record.user_id}")
    return tuple(map(BudgetId, found))
