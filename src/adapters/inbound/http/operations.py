"""Liveness, readiness and metrics: open paths."""

import json

from quart import Blueprint

from adapters.inbound.http.errors import NotFound
from adapters.inbound.http.exchange import Outgoing, incoming
from adapters.inbound.http.use_cases import CheckReadiness, ProcessFacts, Scrape

_JSON = (("content-type", "application/json"), ("cache-control", "no-store"))


def operations_blueprint(
    check_readiness: CheckReadiness, facts: ProcessFacts, scrape: Scrape | None = None
) -> Blueprint:
    """`GET /health` tells that the process runs, `GET /ready` whether it can serve; `GET /metrics`, where it counts."""
    blueprint = Blueprint("operations", __name__)
    alive = {"status": "ok", "mode": facts.mode, "reason": facts.reason, "version": facts.version}
    alive_body = json.dumps(alive).encode()

    async def health() -> Outgoing:
        return Outgoing(200, _JSON, alive_body)

    async def ready() -> Outgoing:
        readiness = check_readiness()
        status, word = (200, "ready") if readiness.ready else (503, "not_ready")
        return Outgoing(status, _JSON, json.dumps({"status": word, "parts": dict(readiness.parts)}).encode())

    async def metrics() -> Outgoing:
        if scrape is None:
            raise NotFound("Metrics are turned off: observability.metrics is false.")
        content_type, text = await scrape(incoming().raw.get(b"accept", b"").decode("latin-1"))
        return Outgoing(200, (("content-type", content_type), ("cache-control", "no-store")), text)

    blueprint.add_url_rule("/health", "health", health, methods=["GET"])
    blueprint.add_url_rule("/ready", "ready", ready, methods=["GET"])
    blueprint.add_url_rule("/metrics", "metrics", metrics, methods=["GET"])
    return blueprint
