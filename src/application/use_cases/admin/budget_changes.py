"""Budgets as parts of what they belong to."""

from dataclasses import dataclass

from application.administration.budget_standing import BudgetStanding, BudgetStandings
from application.administration.patching import UNSET, Unset, given, legal, patched
from application.errors import InvalidRequest
from application.ports.admin_store import AdminStore
from application.use_cases.admin.patches import BudgetPatch
from domain.audit import Change
from domain.budget.terms import BudgetOwner, BudgetTerms, OwnerKind
from domain.virtual_key import VirtualKey


@dataclass(frozen=True, slots=True)
class OwnedBudgets:
    """Finds, reads and changes the one budget that an owner has."""

    store: AdminStore
    standings: BudgetStandings

    async def change(
        self, owner: BudgetOwner, wish: BudgetPatch | Unset | None, path: str = "budget."
    ) -> list[Change[BudgetTerms]]:
        """What is to be changed so that the owner's budget is as wished. None removes it."""
        if wish is UNSET:
            return []
        before = await self.store.get(BudgetTerms, owner.budget_id)
        return budget_change(owner, before, None if wish is None else _terms(owner, before, wish, path))

    async def standing(self, owner: BudgetOwner, account: str) -> BudgetStanding | None:
        """How the owner's budget stands, in that account; None where it has none."""
        terms = await self.store.get(BudgetTerms, owner.budget_id)
        return None if terms is None else (await self.standings([(account, terms)]))[0]


def budget_change(
    owner: BudgetOwner, before: BudgetTerms | None, after: BudgetTerms | None
) -> list[Change[BudgetTerms]]:
    """Sets, replaces or removes a budget; nothing where there is none and none is wished for."""
    if before is None and after is None:
        return []
    action = "create" if before is None else "delete" if after is None else "update"
    return [Change(f"budget.{action}", f"budget:{owner.budget_id}", before, after)]


def key_owner(key: VirtualKey) -> BudgetOwner:
    """Whose budget a key's own one is."""
    return BudgetOwner(OwnerKind.KEY, key.id)


def _terms(owner: BudgetOwner, before: BudgetTerms | None, wish: BudgetPatch, path: str) -> BudgetTerms:
    values = given(wish)
    if before is None:
        if "amount_nano" not in values:
            param = f"{path}amount_usd"
            raise InvalidRequest(f"{param}: this field is required.", param=param)
        with legal(f"{path}amount_usd"):
            before = BudgetTerms(owner, values.pop("amount_nano"))
    return patched(before, values, path)
