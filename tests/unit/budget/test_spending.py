import pytest

from domain.budget.charge import BudgetId
from domain.budget.spending import spender
from domain.budget.terms import BudgetOwner, OwnerKind


@pytest.mark.parametrize(
    ("owner", "fields"),
    [
        (BudgetOwner(OwnerKind.KEY, "k"), {"key_id": "k"}),
        (BudgetOwner(OwnerKind.TEAM, "t"), {"team_id": "t"}),
        (BudgetOwner(OwnerKind.USER, "u"), {"user_id": "u", "team_id": None}),
        (BudgetOwner(OwnerKind.MEMBER, "t:u"), {"user_id": "u", "team_id": "t"}),
    ],
)
def test_each_owner_of_a_budget_spends_what_carries_its_id(owner: BudgetOwner, fields: dict[str, str | None]) -> None:
    assert spender(owner.budget_id) == fields


@pytest.mark.parametrize("budget", ["", "Key:k", "k-1", "member:t", "org:o"])
def test_an_id_of_no_owner_is_refused(budget: str) -> None:
    with pytest.raises(ValueError, match="expected the id of a budget"):
        spender(BudgetId(budget))
