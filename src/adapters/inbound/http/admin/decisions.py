"""Why requests went where they went."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from adapters.inbound.http.admin.route import AnyRoute, Asked, Method, Route
from adapters.inbound.http.admin.schema import NoFields, Query, Schema
from application.errors import ItemNotFound
from application.ports.decision_log import DecisionLog, DecisionsWanted
from domain.identifiers import RequestId
from domain.principal import Permission
from domain.routing.decision import DecisionTrace

_MOST = 200
_HERE = "No decision of that request id is kept: each process keeps its latest 1,000, and shares them with no other."
_SHARED = "No decision of that request id is kept, here or by another gateway: they stay for an hour at most."


class DecisionScope(StrEnum):
    """Whose decisions are found: those of the process that answers, or those of all gateways that share a Redis."""

    PROCESS = "process"
    FLEET = "fleet"


class _Shown(Schema):
    """Made from what the gateway itself keeps, field by field."""

    model_config = ConfigDict(from_attributes=True, strict=False)


class CandidateShown(_Shown):
    """An instance that attempt `attempt` might have gone to, as it looked when it was chosen among.

    `weight_factor` is below 1 for a while after its circuit closed.
    """

    attempt: int
    instance_id: str
    priority: int
    weight_milli: int
    circuit: str
    weight_factor: float
    cooldown: str | None
    in_flight: int
    latency_us: int | None


class ExclusionShown(_Shown):
    """An instance that was passed over. `retry_after_us`: when it may be taken again; null: not by waiting."""

    instance_id: str
    reason: str
    retry_after_us: int | None


class UsageShown(_Shown):
    """Tokens; `estimated` where the provider reported none."""

    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    estimated: bool


class AttemptShown(_Shown):
    """One call to a provider. `outcome` is `success`, `cancelled`, or the kind of its failure.

    `admission_us` passed until it was admitted, before `started_us`; `first_content_us` and `duration_us` count from
    there.
    """

    number: int
    model: str
    instance_id: str
    provider: str
    started_us: int
    probe: bool
    admission_us: int | None
    first_content_us: int | None
    duration_us: int | None
    outcome: str | None
    status: int | None
    message: str | None
    usage: UsageShown | None
    cost_nano: int


class LimitShown(_Shown):
    """A limit of the caller."""

    name: str
    kind: str
    limit: int


class VerdictShown(_Shown):
    """How a limit stood after this request; `retry_after_us` null: waiting never helps."""

    allowed: bool
    remaining: int
    retry_after_us: int | None
    reset_after_us: int


class StandingShown(_Shown):
    """A limit of the caller, and how it stood."""

    limit: LimitShown
    decision: VerdictShown


class DecisionShown(_Shown):
    """The story of one request. Instants are microseconds since 1970, spans microseconds, costs 1e-9 dollars.

    An attempt was made at the instance of `attempts`; `candidates` are those it was picked from by `strategy` (behind
    `route_strategy`, where a route was asked for), `exclusions` those that were passed over (`more_exclusions`:
    so many more were). `outcome` is null while
    the request runs, `success`, `cancelled`, or the name of the error that the client was told.
    """

    request_id: str
    client_request_id: str | None
    requested_model: str
    endpoint: str
    stream: bool
    account: str
    caller: str
    route: str | None
    route_strategy: str | None
    strategy: str
    started_us: int
    finished_us: int | None
    outcome: str | None
    candidates: Sequence[CandidateShown]
    exclusions: Sequence[ExclusionShown]
    more_exclusions: int
    attempts: Sequence[AttemptShown]
    models_visited: Sequence[str]
    notes: Sequence[str]
    cost_nano: int | None
    usage: UsageShown | None
    cache: str | None
    degraded: Sequence[str]
    limits: Sequence[StandingShown]
    budgets: Sequence[str]


class DecisionList(Schema):
    """Finished requests, the last to finish first.

    `of_fleet`: those of all gateways; otherwise of the process that answers.
    """

    data: Sequence[DecisionShown]
    of_fleet: bool


class DecisionQuery(Query):
    """Which of the last 1,000 or so. `model`: the name that was asked for; `outcome`: as a decision has it."""

    limit: Annotated[int, Field(ge=1, le=_MOST)] = 50
    model: Annotated[str, Field(max_length=300)] | None = None
    outcome: Annotated[str, Field(max_length=100)] | None = None


def decision_routes(log: DecisionLog, scope: DecisionScope) -> tuple[AnyRoute, ...]:
    """`GET /decisions` and `GET /decisions/{request_id}`. `scope`: whose decisions are found."""
    of_fleet = scope is DecisionScope.FLEET

    async def one(asked: Asked[NoFields, NoFields]) -> DecisionShown:
        trace = await log.find(RequestId(asked.path["request_id"]))
        if trace is None:
            raise ItemNotFound(_SHARED if of_fleet else _HERE)
        return _shown(trace)

    async def recent(asked: Asked[NoFields, DecisionQuery]) -> DecisionList:
        wanted = DecisionsWanted(asked.query.limit, asked.query.model, asked.query.outcome)
        return DecisionList(data=[_shown(trace) for trace in await log.recent(wanted)], of_fleet=of_fleet)

    return (
        _route("/decisions", "The latest decisions", recent, DecisionList, DecisionQuery),
        _route("/decisions/{request_id}", "Why a request went where it went", one, DecisionShown, NoFields),
    )


def _route(path: str, summary: str, handler: Any, response: type[Schema], query: type[Schema]) -> AnyRoute:
    return Route(
        method=Method.GET,
        path=path,
        permission=Permission.SEE_GATEWAY,
        summary=summary,
        handler=handler,
        response=response,
        query=query,
    )


def _shown(trace: DecisionTrace) -> DecisionShown:
    return DecisionShown.model_validate(trace)
