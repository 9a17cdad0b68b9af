"""Everybody's budgets."""

from dataclasses import dataclass

from adapters.inbound.http.admin.route import AnyRoute, Asked, Method, Route
from adapters.inbound.http.admin.schema import Listing, NoFields, PageQuery
from adapters.inbound.http.admin.tenant_schemas import BudgetIn, BudgetOut, budget_fields
from application.administration.budget_standing import BudgetStanding
from application.errors import ItemNotFound
from application.use_cases.admin.budgets import AllBudgets
from domain.budget.terms import OwnerKind
from domain.principal import Permission

_PATH = "/budgets/{budget_id}"


class OwnedBudget(BudgetOut):
    """A budget, whose it is, and how it stands. The id of a member is `team:user`."""

    id: str
    owner_kind: OwnerKind
    owner_id: str


class BudgetList(Listing[OwnedBudget]):
    """Budgets."""


@dataclass(frozen=True, slots=True)
class _Handlers:
    budgets: AllBudgets

    async def every(self, asked: Asked[NoFields, PageQuery]) -> BudgetList:
        page = await self.budgets.list(asked.principal, asked.query.limit, asked.query.after)
        return BudgetList(data=[_shown(standing) for standing in page.items], next=page.next)

    async def one(self, asked: Asked[NoFields, NoFields]) -> OwnedBudget:
        return _shown(await self.budgets.get(asked.principal, asked.path["budget_id"]))

    async def put(self, asked: Asked[BudgetIn, NoFields]) -> OwnedBudget:
        standing = await self.budgets.set(asked.principal, asked.path["budget_id"], asked.body.patch())
        if standing is None:
            raise ItemNotFound("Somebody else removed this budget at the same moment.")
        return _shown(standing)

    async def delete(self, asked: Asked[NoFields, NoFields]) -> None:
        await self.budgets.set(asked.principal, asked.path["budget_id"], None)


def budget_routes(budgets: AllBudgets) -> tuple[AnyRoute, ...]:
    """`/budgets` and `/budgets/{budget_id}`: `team:T`, `user:U`, `key:K`, `member:T:U`."""
    h = _Handlers(budgets)
    see, change = Permission.SEE_TENANTS, Permission.CHANGE_TENANTS
    return (
        Route(Method.GET, "/budgets", see, "All budgets and how they stand", h.every, BudgetList, query=PageQuery),
        Route(Method.GET, _PATH, see, "A budget and how it stands", h.one, OwnedBudget),
        Route(Method.PUT, _PATH, change, "Set a budget", h.put, OwnedBudget, request=BudgetIn),
        Route(Method.DELETE, _PATH, change, "Remove a budget", h.delete, None, status=204),
    )


def _shown(standing: BudgetStanding) -> OwnedBudget:
    owner = standing.terms.owner
    return OwnedBudget(**budget_fields(standing), id=owner.budget_id, owner_kind=owner.kind, owner_id=owner.id)
