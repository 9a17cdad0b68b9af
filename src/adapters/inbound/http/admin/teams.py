"""Teams."""

from collections.abc import Sequence
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
from application.use_cases.admin.patches import TeamPatch
from application.use_cases.admin.teams import TeamDetail, Teams
from domain.principal import Permission
from domain.tenants import Team


class TeamIn(Patch):
    """A team to be created."""

    name: str
    models: frozenset[str] | None = None
    tags: frozenset[str] | None = None
    routes: dict[str, str] | None = None
    limits: LimitsIn | None = None
    budget: BudgetIn | None = None
    blocked: bool = False


class TeamChange(Patch):
    """What is to be different about a team."""

    name: str = left_out()
    models: frozenset[str] | None = None
    tags: frozenset[str] | None = None
    routes: dict[str, str] | None = None
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


def team_routes(teams: Teams) -> tuple[AnyRoute, ...]:
    """`/teams` and `/teams/{team_id}`."""

    async def every(asked: Asked[NoFields, TeamQuery]) -> TeamList:
        query = asked.query
        page = await teams.list(asked.principal, query.limit, query.after, query.name)
        return TeamList(data=[TeamShown(**_fields(team)) for team in page.items], next=page.next)

    async def create(asked: Asked[TeamIn, NoFields]) -> TeamWithBudget:
        return _shown(await teams.create(asked.principal, TeamPatch(**settings_of(asked.body))))

    async def one(asked: Asked[NoFields, NoFields]) -> TeamWithBudget:
        return _shown(await teams.get(asked.principal, asked.path["team_id"]))

    async def change(asked: Asked[TeamChange, NoFields]) -> TeamWithBudget:
        patch = TeamPatch(**settings_of(asked.body))
        return _shown(await teams.change(asked.principal, asked.path["team_id"], patch))

    async def delete(asked: Asked[NoFields, NoFields]) -> None:
        await teams.delete(asked.principal, asked.path["team_id"])

    return (
        Route(
            method=Method.GET,
            path="/teams",
            permission=Permission.SEE_TENANTS,
            summary="Teams",
            handler=every,
            query=TeamQuery,
            response=TeamList,
        ),
        Route(
            method=Method.POST,
            path="/teams",
            permission=Permission.CHANGE_GATEWAY,
            summary="Create a team",
            handler=create,
            request=TeamIn,
            response=TeamWithBudget,
            status=201,
        ),
        Route(
            method=Method.GET,
            path="/teams/{team_id}",
            permission=Permission.SEE_TENANTS,
            summary="A team and how its budget stands",
            handler=one,
            response=TeamWithBudget,
        ),
        Route(
            method=Method.PATCH,
            path="/teams/{team_id}",
            permission=Permission.CHANGE_TENANTS,
            summary="Change a team: administrators only, for it bounds those who manage it",
            handler=change,
            request=TeamChange,
            response=TeamWithBudget,
        ),
        Route(
            method=Method.DELETE,
            path="/teams/{team_id}",
            permission=Permission.CHANGE_TENANTS,
            summary="Remove a team whose keys are all revoked: administrators only",
            handler=delete,
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
