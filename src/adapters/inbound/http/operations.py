"""Liveness and readiness: the open paths."""

import json

from quart import Blueprint

from adapters.inbound.http.exchange import Outgoing
from adapters.inbound.http.use_cases import CheckReadiness, ProcessFacts

_JSON = (("content-type", "application/json"), ("cache-control", "no-store"))


def operations_blueprint(check_readiness: CheckReadiness, facts: ProcessFacts) -> Blueprint:
    """`GET /health` tells that the process runs, `GET /ready` whether it can serve."""
    blueprint = Blueprint("operations", __name__)
    alive = {"status": "ok", "mode": facts.mode, "reason": facts.reason, "version": facts.version}
    alive_body = json.dumps(alive).encode()

    async def health() -> Outgoing:
        return Outgoing(200, _JSON, alive_body)

    async def ready() -> Outgoing:
        readiness = check_readiness()
        status, word = (200, "ready") if readiness.ready else (503, "not_ready")
        return Outgoing(status, _JSON, json.dumps({"status": word, "parts": dict(readiness.parts)}).encode())

    blueprint.add_url_rule("/health", "health", health, methods=["GET"])
    blueprint.add_url_rule("/ready", "ready", ready, methods=["GET"])
    return blueprint
