from dataclasses import dataclass

from application.administration.administering import apply, page
from application.administration.budget_standing import BudgetStanding
from application.administration.chained_pages import chained
from application.administration.patching import UNSET, legal
from application.errors import InvalidRequest, NotPermitted
from application.ports.admin_store import AdminStore
from application.ports.clock import Clock
from application.ports.secrets import Secrets
from application.use_cases.admin.budget_changes import OwnedBudgets
from application.use_cases.admin.patches import TeamPatch, revised
from application.use_cases.admin.reach import seen_team
from domain.audit import Change
from domain.budget.terms import BudgetOwner, OwnerKind
from domain.item_ids import item_id
from domain.pages import Page
from domain.principal import Principal
from domain.tenants import Team, TeamId

_ID_BITS = 56


@dataclass(frozen=True, slots=True)
class TeamDetail:
    """A team and how its budget stands."""

    team: Team
    budget: BudgetStanding | None


@dataclass(frozen=True, slots=True)
class Teams:
    """Teams. What they may use and spend bounds those who manage them, and so is set by administrators alone."""

    store: AdminStore
    budgets: OwnedBudgets
    clock: Clock
    secrets: Secrets

    async def create(self, principal: Principal, settings: TeamPatch) -> TeamDetail:
        """A new team. Raises InvalidRequest, NotPermitted, AlreadyExists."""
        _refuse_managers(principal)
        if settings.name is UNSET:
            raise InvalidRequest("name: this field is required.", param="name")
        now_us = self.clock.now_us()
        with legal("name"):
            team_id = item_id("team", now_us, self.secrets.secret_bits(_ID_BITS))
            blank = Team(TeamId(team_id), settings.name, now_us)
        return await self._set(principal, "team.create", None, revised(blank, settings), settings)

    async def list(self, principal: Principal, limit: int, after: str | None, name: str | None) -> Page[Team]:
        """Teams in the order in which they were created; the one of that name where one is given."""
        if principal.sees_all:
            return await page(self.store, Team, limit, after, {"name": name})

        async def one(team_id: str, _most: int, _inner: str | None) -> Page[Team]:
            team = await self.store.get(Team, team_id)
            return Page(() if team is None or name not in {None, team.name} else (team,))

        return await chained(sorted(principal.teams), one, limit, after)

    async def get(self, principal: Principal, team_id: str) -> TeamDetail:
        """One of them. Raises ItemNotFound."""
        return await self._detail(await seen_team(self.store, principal, team_id))

    async def change(self, principal: Principal, team_id: str, patch: TeamPatch) -> TeamDetail:
        """The team with other settings. Raises InvalidRequest, ItemNotFound, NotPermitted, AlreadyExists, Conflict."""
        before = await seen_team(self.store, principal, team_id)
        _refuse_managers(principal)
        return await self._set(principal, "team.update", before, revised(before, patch), patch)

    async def delete(self, principal: Principal, team_id: str) -> None:
        """Removes it, its memberships and budgets. Raises ItemNotFound, NotPermitted, Conflict, InUse."""
        before = await seen_team(self.store, principal, team_id)
        _refuse_managers(principal)
        await apply(self.store, principal, Change("team.delete", f"team:{team_id}", before, None))

    async def _set(
        self, principal: Principal, action: str, before: Team | None, after: Team, patch: TeamPatch
    ) -> TeamDetail:
        budget = await self.budgets.change(_owner(after), patch.budget)
        changed = Change(action, f"team:{after.id}", before, after)
        await apply(self.store, principal, changed, *budget, unique="name")
        return await self._detail(after)

    async def _detail(self, team: Team) -> TeamDetail:
        return TeamDetail(team, await self.budgets.standing(_owner(team), f"team:{team.id}"))


def _owner(team: Team) -> BudgetOwner:
    return BudgetOwner(OwnerKind.TEAM, team.id)


def _refuse_managers(principal: Principal) -> None:
    if not principal.changes_all:
        raise NotPermitted("Teams themselves are set by administrators.")
