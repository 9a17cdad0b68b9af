"""Everybody's budgets."""

from adapters.inbound.http.admin.route import AnyRoute, Asked, Method, Route
from adapters.inbound.http.admin.schema import Listing, NoFields, PageQuery
from adapters.inbound.http.admin.tenant_schemas import BudgetIn, BudgetOut, budget_fields
from application.budget_standing import BudgetStanding
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


def budget_routes(budgets: AllBudgets) -> tuple[AnyRoute, ...]:
    """`/budgets` and `/budgets/{budget_id}`: `team:T`, `user:U`, `key:K`, `member:T:U`."""

    async def every(asked: Asked[NoFields, PageQuery]) -> BudgetList:
        page = await budgets.list(asked.principal, asked.query.limit, asked.query.after)
        return BudgetList(data=[_shown(standing) for standing in page.items], next=page.next)

    async def one(asked: Asked[NoFields, NoFields]) -> OwnedBudget:
        return _shown(await budgets.get(asked.principal, asked.path["budget_id"]))

    async def put(asked: Asked[BudgetIn, NoFields]) -> OwnedBudget:
        standing = await budgets.set(asked.principal, asked.path["budget_id"], asked.body.patch())
        if standing is None:
            raise ItemNotFound("Somebody else removed this budget at the same moment.")
        return _shown(standing)

    async def delete(asked: Asked[NoFields, NoFields]) -> None:
        await budgets.set(asked.principal, asked.path["budget_id"], None)

    return (
        Route(
            method=Method.GET,
            path="/budgets",
            permission=Permission.SEE_TENANTS,
            summary="All budgets and how they stand",
            handler=every,
            query=PageQuery,
            response=BudgetList,
        ),
        Route(
            method=Method.GET,
            path=_PATH,
            permission=Permission.SEE_TENANTS,
            summary="A budget and how it stands",
            handler=one,
            response=OwnedBudget,
        ),
        Route(
            method=Method.PUT,
            path=_PATH,
            permission=Permission.CHANGE_TENANTS,
            summary="Set a budget",
            handler=put,
            request=BudgetIn,
            response=OwnedBudget,
        ),
        Route(
            method=Method.DELETE,
            path=_PATH,
            permission=Permission.CHANGE_TENANTS,
            summary="Remove a budget",
            handler=delete,
            status=204,
        ),
    )


def _shown(standing: BudgetStanding) -> OwnedBudget:
    owner = standing.terms.owner
    return OwnedBudget(**budget_fields(standing), id=owner.budget_id, owner_kind=owner.kind, owner_id=owner.id)
