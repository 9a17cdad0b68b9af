"""Users."""

from typing import Any

from adapters.inbound.http.admin.route import AnyRoute, Asked, Method, Route
from adapters.inbound.http.admin.schema import Listing, NoFields, PageQuery, Patch, Schema, left_out
from adapters.inbound.http.admin.tenant_schemas import (
    BudgetChange,
    BudgetIn,
    BudgetOut,
    LimitsIn,
    LimitsOut,
    settings_of,
)
from adapters.inbound.http.admin.wire import TimeOut
from application.use_cases.admin.patches import UserPatch
from application.use_cases.admin.users import UserDetail, Users
from domain.principal import Permission
from domain.tenants import Role, User


class UserIn(Patch):
    """A user to be created. The limits and the budget are those of its personal keys, the limits of all its keys."""

    email: str
    role: Role = Role.VIEWER
    limits: LimitsIn | None = None
    budget: BudgetIn | None = None
    blocked: bool = False


class UserChange(Patch):
    """What is to be different about a user."""

    email: str = left_out()
    role: Role = left_out()
    limits: LimitsIn | None = None
    budget: BudgetChange | None = None
    blocked: bool = left_out()


class UserShown(Schema):
    """A user."""

    id: str
    email: str
    role: Role
    limits: LimitsOut
    blocked: bool
    created_at: TimeOut


class UserWithBudget(UserShown):
    """A user and how the budget of its personal keys stands; null too for callers who may not know."""

    budget: BudgetOut | None


class UserList(Listing[UserShown]):
    """Users in the order in which they were created."""


class UserQuery(PageQuery):
    """Which users."""

    email: str | None = None


def user_routes(users: Users) -> tuple[AnyRoute, ...]:
    """`/users` and `/users/{user_id}`."""

    async def every(asked: Asked[NoFields, UserQuery]) -> UserList:
        query = asked.query
        page = await users.list(asked.principal, query.limit, query.after, query.email)
        return UserList(data=[UserShown(**_fields(user)) for user in page.items], next=page.next)

    async def create(asked: Asked[UserIn, NoFields]) -> UserWithBudget:
        return _shown(await users.create(asked.principal, UserPatch(**settings_of(asked.body))))

    async def one(asked: Asked[NoFields, NoFields]) -> UserWithBudget:
        return _shown(await users.get(asked.principal, asked.path["user_id"]))

    async def change(asked: Asked[UserChange, NoFields]) -> UserWithBudget:
        patch = UserPatch(**settings_of(asked.body))
        return _shown(await users.change(asked.principal, asked.path["user_id"], patch))

    async def delete(asked: Asked[NoFields, NoFields]) -> None:
        await users.delete(asked.principal, asked.path["user_id"])

    return (
        Route(
            method=Method.GET,
            path="/users",
            permission=Permission.SEE_TENANTS,
            summary="Users",
            handler=every,
            query=UserQuery,
            response=UserList,
        ),
        Route(
            method=Method.POST,
            path="/users",
            permission=Permission.CHANGE_GATEWAY,
            summary="Create a user",
            handler=create,
            request=UserIn,
            response=UserWithBudget,
            status=201,
        ),
        Route(
            method=Method.GET,
            path="/users/{user_id}",
            permission=Permission.SEE_TENANTS,
            summary="A user and how its budget stands",
            handler=one,
            response=UserWithBudget,
        ),
        Route(
            method=Method.PATCH,
            path="/users/{user_id}",
            permission=Permission.CHANGE_TENANTS,
            summary="Change a user: administrators only",
            handler=change,
            request=UserChange,
            response=UserWithBudget,
        ),
        Route(
            method=Method.DELETE,
            path="/users/{user_id}",
            permission=Permission.CHANGE_TENANTS,
            summary="Remove a user whose keys are all revoked: administrators only",
            handler=delete,
            status=204,
        ),
    )


def _fields(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "email": user.email,
        "role": user.role,
        "limits": LimitsOut.of(user.limits),
        "blocked": user.blocked,
        "created_at": user.created_at_us,
    }


def _shown(detail: UserDetail) -> UserWithBudget:
    return UserWithBudget(**_fields(detail.user), budget=BudgetOut.of(detail.budget))
