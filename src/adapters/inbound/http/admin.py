"""The admin API: for the holder of the master key."""

import json
from dataclasses import asdict

from quart import Blueprint

from adapters.inbound.http.authentication import require_master
from adapters.inbound.http.errors import NotFound
from adapters.inbound.http.exchange import Outgoing, incoming
from adapters.inbound.http.use_cases import FindDecision
from domain.identifiers import RequestId


def admin_blueprint(find_decision: FindDecision) -> Blueprint:
    """`GET /admin/v1/decisions/{request_id}`: why a request went where it went."""
    blueprint = Blueprint("admin", __name__, url_prefix="/admin/v1")

    async def decision(request_id: str) -> Outgoing:
        require_master(incoming().known_caller)
        trace = find_decision(RequestId(request_id))
        if trace is None:
            raise NotFound("No decision of that request id is kept: each process keeps its latest.")
        return Outgoing(200, (("content-type", "application/json"),), json.dumps(asdict(trace)).encode())

    blueprint.add_url_rule("/decisions/<request_id>", "decision", decision, methods=["GET"])
    return blueprint
