"""Members of teams."""

from dataclasses import dataclass
from typing import Any

from adapters.inbound.http.admin.route import AnyRoute, Asked, Method, Route
from adapters.inbound.http.admin.schema import Listing, NoFields, PageQuery, Patch, Schema, left_out
from adapters.inbound.http.admin.tenant_schemas import BudgetChange, BudgetIn, BudgetOut, settings_of
from adapters.inbound.http.admin.wire import ItemId
from application.use_cases.admin.members import MemberDetail, Members
from application.use_cases.admin.patches import MemberPatch
from domain.principal import Permission
from domain.tenants import Membership, Role

_PATH = "/teams/{team_id}/members"


class MemberIn(Patch):
    """A user to be taken into a team. The budget is for its keys in this team."""

    user_id: ItemId
    role: Role = Role.VIEWER
    budget: BudgetIn | None = None


class MemberChange(Patch):
    """What is to be different about a member."""

    role: Role = left_out()
    budget: BudgetChange | None = None


class MemberShown(Schema):
    """A member. The role is what it has in this team."""

    user_id: str
    team_id: str
    role: Role


class MemberWithBudget(MemberShown):
    """A member and how its budget in this team stands."""

    budget: BudgetOut | None


class MemberList(Listing[MemberShown]):
    """Members of one team."""


@dataclass(frozen=True, slots=True)
class _Handlers:
    members: Members

    async def every(self, asked: Asked[NoFields, PageQuery]) -> MemberList:
        team_id = asked.path["team_id"]
        page = await self.members.list(asked.principal, team_id, asked.query.limit, asked.query.after)
        return MemberList(data=[MemberShown(**_fields(member)) for member in page.items], next=page.next)

    async def add(self, asked: Asked[MemberIn, NoFields]) -> MemberWithBudget:
        patch = MemberPatch(**settings_of(asked.body, frozenset({"user_id"})))
        return _shown(await self.members.add(asked.principal, asked.path["team_id"], asked.body.user_id, patch))

    async def one(self, asked: Asked[NoFields, NoFields]) -> MemberWithBudget:
        return _shown(await self.members.get(asked.principal, asked.path["team_id"], asked.path["user_id"]))

    async def change(self, asked: Asked[MemberChange, NoFields]) -> MemberWithBudget:
        patch = MemberPatch(**settings_of(asked.body))
        return _shown(await self.members.change(asked.principal, asked.path["team_id"], asked.path["user_id"], patch))

    async def remove(self, asked: Asked[NoFields, NoFields]) -> None:
        await self.members.remove(asked.principal, asked.path["team_id"], asked.path["user_id"])


def member_routes(members: Members) -> tuple[AnyRoute, ...]:
    """`/teams/{team_id}/members` and `/teams/{team_id}/members/{user_id}`."""
    h = _Handlers(members)
    see, change = Permission.SEE_TENANTS, Permission.CHANGE_TENANTS
    return (
        Route(Method.GET, _PATH, see, "The members of a team", h.every, MemberList, query=PageQuery),
        Route(
            Method.POST, _PATH, change, "Take a user into a team", h.add, MemberWithBudget, request=MemberIn, status=201
        ),
        Route(Method.GET, _PATH + "/{user_id}", see, "A member and how its budget stands", h.one, MemberWithBudget),
        Route(
            Method.PATCH,
            _PATH + "/{user_id}",
            change,
            "Change a member's role or budget",
            h.change,
            MemberWithBudget,
            request=MemberChange,
        ),
        Route(
            Method.DELETE,
            _PATH + "/{user_id}",
            change,
            "Remove a member; its keys here are refused",
            h.remove,
            None,
            status=204,
        ),
    )


def _fields(member: Membership) -> dict[str, Any]:
    return {"user_id": member.user_id, "team_id": member.team_id, "role": member.role}


def _shown(detail: MemberDetail) -> MemberWithBudget:
    return MemberWithBudget(**_fields(detail.membership), budget=BudgetOut.of(detail.budget))
