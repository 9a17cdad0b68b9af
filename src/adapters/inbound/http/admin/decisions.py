"""Why a request went where it went."""

from pydantic import RootModel

from adapters.inbound.http.admin.route import AnyRoute, Asked, Method, Route
from adapters.inbound.http.admin.schema import NoFields
from adapters.inbound.http.use_cases import FindDecision
from application.errors import ItemNotFound
from domain.identifiers import RequestId
from domain.principal import Permission
from domain.routing.decision import DecisionTrace


class Decision(RootModel[DecisionTrace]):
    """The story of one request. Times are microseconds since the epoch."""


def decision_routes(find_decision: FindDecision) -> tuple[AnyRoute, ...]:
    """`GET /decisions/{request_id}`."""

    async def one(asked: Asked[NoFields, NoFields]) -> Decision:
        trace = find_decision(RequestId(asked.path["request_id"]))
        if trace is None:
            raise ItemNotFound("No decision of that request id is kept: each process keeps its latest.")
        return Decision(trace)

    return (
        Route(
            method=Method.GET,
            path="/decisions/{request_id}",
            permission=Permission.SEE_GATEWAY,
            summary="The decision trace of a request",
            handler=one,
            response=Decision,
        ),
    )
