"""Users."""

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class _Handlers:
    users: Users

    async def every(self, asked: Asked[NoFields, UserQuery]) -> UserList:
        query = asked.query
        page = await self.users.list(asked.principal, query.limit, query.after, query.email)
        return UserList(data=[UserShown(**_fields(user)) for user in page.items], next=page.next)

    async def create(self, asked: Asked[UserIn, NoFields]) -> UserWithBudget:
        return _shown(await self.users.create(asked.principal, UserPatch(**settings_of(asked.body))))

    async def one(self, asked: Asked[NoFields, NoFields]) -> UserWithBudget:
        return _shown(await self.users.get(asked.principal, asked.path["user_id"]))

    async def change(self, asked: Asked[UserChange, NoFields]) -> UserWithBudget:
        patch = UserPatch(**settings_of(asked.body))
        return _shown(await self.users.change(asked.principal, asked.path["user_id"], patch))

    async def delete(self, asked: Asked[NoFields, NoFields]) -> None:
        await self.users.delete(asked.principal, asked.path["user_id"])


def user_routes(users: Users) -> tuple[AnyRoute, ...]:
    """`/users` and `/users/{user_id}`."""
    h = _Handlers(users)
    see, change, change_all = Permission.SEE_TENANTS, Permission.CHANGE_TENANTS, Permission.CHANGE_GATEWAY
    return (
        Route(Method.GET, "/users", see, "Users", h.every, UserList, query=UserQuery),
        Route(Method.POST, "/users", change_all, "Create a user", h.create, UserWithBudget, request=UserIn, status=201),
        Route(Method.GET, "/users/{user_id}", see, "A user and how its budget stands", h.one, UserWithBudget),
        Route(
            Method.PATCH,
            "/users/{user_id}",
            change,
            "Change a user (administrators)",
            h.change,
            UserWithBudget,
            request=UserChange,
        ),
        Route(
            Method.DELETE,
            "/users/{user_id}",
            change,
            "Remove a user without keys (administrators)",
            h.delete,
            None,
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
