"""Teams."""

from collections.abc import Sequence
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
from adapters.inbound.http.admin.wire import Names, NamesByName, TimeOut
from application.use_cases.admin.patches import TeamPatch
from application.use_cases.admin.teams import TeamDetail, Teams
from domain.principal import Permission
from domain.tenants import Team


class TeamIn(Patch):
    """A team to be created."""

    name: str
    models: Names | None = None
    tags: Names | None = None
    routes: NamesByName | None = None
    limits: LimitsIn | None = None
    budget: BudgetIn | None = None
    blocked: bool = False


class TeamChange(Patch):
    """What is to be different about a team."""

    name: str = left_out()
    models: Names | None = None
    tags: Names | None = None
    routes: NamesByName | None = None
    limits: LimitsIn | None = None
    budget: BudgetChange | None = None
    blocked: bool = left_out()


class TeamShown(Schema):
    """A team. `models` null: all."""

    id: str
    name: str
    models: Sequence[str] | None
    tags: Sequence[str]
    routes: dict[str, str]
    limits: LimitsOut
    blocked: bool
    created_at: TimeOut


class TeamWithBudget(TeamShown):
    """A team and how its budget stands."""

    budget: BudgetOut | None


class TeamList(Listing[TeamShown]):
    """Teams in the order in which they were created."""


class TeamQuery(PageQuery):
    """Which teams."""

    name: str | None = None


@dataclass(frozen=True, slots=True)
class _Handlers:
    teams: Teams

    async def every(self, asked: Asked[NoFields, TeamQuery]) -> TeamList:
        query = asked.query
        page = await self.teams.list(asked.principal, query.limit, query.after, query.name)
        return TeamList(data=[TeamShown(**_fields(team)) for team in page.items], next=page.next)

    async def create(self, asked: Asked[TeamIn, NoFields]) -> TeamWithBudget:
        return _shown(await self.teams.create(asked.principal, TeamPatch(**settings_of(asked.body))))

    async def one(self, asked: Asked[NoFields, NoFields]) -> TeamWithBudget:
        return _shown(await self.teams.get(asked.principal, asked.path["team_id"]))

    async def change(self, asked: Asked[TeamChange, NoFields]) -> TeamWithBudget:
        patch = TeamPatch(**settings_of(asked.body))
        return _shown(await self.teams.change(asked.principal, asked.path["team_id"], patch))

    async def delete(self, asked: Asked[NoFields, NoFields]) -> None:
        await self.teams.delete(asked.principal, asked.path["team_id"])


def team_routes(teams: Teams) -> tuple[AnyRoute, ...]:
    """`/teams` and `/teams/{team_id}`."""
    h = _Handlers(teams)
    see, change, change_all = Permission.SEE_TENANTS, Permission.CHANGE_TENANTS, Permission.CHANGE_GATEWAY
    return (
        Route(Method.GET, "/teams", see, "Teams", h.every, TeamList, query=TeamQuery),
        Route(Method.POST, "/teams", change_all, "Create a team", h.create, TeamWithBudget, request=TeamIn, status=201),
        Route(Method.GET, "/teams/{team_id}", see, "A team and how its budget stands", h.one, TeamWithBudget),
        Route(
            Method.PATCH,
            "/teams/{team_id}",
            change,
            "Change a team (administrators)",
            h.change,
            TeamWithBudget,
            request=TeamChange,
        ),
        Route(
            Method.DELETE,
            "/teams/{team_id}",
            change,
            "Remove a team without keys (administrators)",
            h.delete,
            None,
            status=204,
        ),
    )


def _fields(team: Team) -> dict[str, Any]:
    return {
        "id": team.id,
        "name": team.name,
        "models": None if team.models is None else sorted(team.models),
        "tags": sorted(team.tags),
        "routes": dict(team.routes),
        "limits": LimitsOut.of(team.limits),
        "blocked": team.blocked,
        "created_at": team.created_at_us,
    }


def _shown(detail: TeamDetail) -> TeamWithBudget:
    return TeamWithBudget(**_fields(detail.team), budget=BudgetOut.of(detail.budget))
