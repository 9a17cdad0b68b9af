from dataclasses import dataclass, replace

from application.administration.administering import apply, page
from application.administration.budget_standing import BudgetStanding
from application.administration.patching import given, legal
from application.errors import InvalidRequest
from application.ports.admin_store import AdminStore
from application.use_cases.admin.budget_changes import OwnedBudgets
from application.use_cases.admin.patches import MemberPatch
from application.use_cases.admin.reach import managed_team, seen_member, seen_team
from domain.audit import Change
from domain.budget.terms import BudgetOwner, OwnerKind
from domain.pages import Page
from domain.principal import Principal
from domain.tenants import Membership, Role, User, UserId


@dataclass(frozen=True, slots=True)
class MemberDetail:
    """A member of a team and how its budget there stands."""

    membership: Membership
    budget: BudgetStanding | None


@dataclass(frozen=True, slots=True)
class Members:
    """Users inside teams. No role that is given here reaches beyond the team."""

    store: AdminStore
    budgets: OwnedBudgets

    async def add(self, principal: Principal, team_id: str, user_id: str, settings: MemberPatch) -> MemberDetail:
        """A new member, of the role viewer where none is said.

        Raises:
            InvalidRequest, ItemNotFound, NotPermitted, AlreadyExists
        """
        team = await managed_team(self.store, principal, team_id)
        if await self.store.get(User, user_id) is None:
            raise InvalidRequest("user_id: there is no such user.", param="user_id")
        after = Membership(UserId(user_id), team.id)
        return await self._set(principal, "member.create", None, after, settings)

    async def list(self, principal: Principal, team_id: str, limit: int, after: str | None) -> Page[Membership]:
        """The team's members. Raises ItemNotFound."""
        team = await seen_team(self.store, principal, team_id)
        return await page(self.store, Membership, limit, after, {"team_id": team.id})

    async def get(self, principal: Principal, team_id: str, user_id: str) -> MemberDetail:
        """One of them. Raises ItemNotFound."""
        return await self._detail(await seen_member(self.store, principal, team_id, user_id))

    async def change(self, principal: Principal, team_id: str, user_id: str, patch: MemberPatch) -> MemberDetail:
        """The member with other settings. Raises InvalidRequest, ItemNotFound, NotPermitted, Conflict."""
        before = await seen_member(self.store, principal, team_id, user_id)
        await managed_team(self.store, principal, team_id)
        return await self._set(principal, "member.update", before, before, patch)

    async def remove(self, principal: Principal, team_id: str, user_id: str) -> None:
        """Its keys in this team open nothing any more. Raises ItemNotFound, NotPermitted, Conflict, InUse."""
        before = await seen_member(self.store, principal, team_id, user_id)
        await managed_team(self.store, principal, team_id)
        budget = await self.budgets.change(_owner(before), None)
        await apply(self.store, principal, *budget, Change("member.delete", _target(before), before, None))

    async def _set(
        self, principal: Principal, action: str, before: Membership | None, blank: Membership, patch: MemberPatch
    ) -> MemberDetail:
        role: Role = given(patch).get("role", blank.role)
        with legal("role"):
            after = replace(blank, role=role)
        budget = await self.budgets.change(_owner(after), patch.budget)
        await apply(self.store, principal, Change(action, _target(after), before, after), *budget, unique="user_id")
        return await self._detail(after)

    async def _detail(self, member: Membership) -> MemberDetail:
        return MemberDetail(member, await self.budgets.standing(_owner(member), f"team:{member.team_id}"))


def _owner(member: Membership) -> BudgetOwner:
    return BudgetOwner(OwnerKind.MEMBER, f"{member.team_id}:{member.user_id}")


def _target(member: Membership) -> str:
    return f"member:{member.team_id}:{member.user_id}"
