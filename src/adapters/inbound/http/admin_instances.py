"""Instances, as operators see and steer them."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from quart import Blueprint

from adapters.inbound.http.authentication import require_master
from adapters.inbound.http.body import parse_object
from adapters.inbound.http.exchange import Incoming, Outgoing, incoming
from adapters.inbound.http.fields import Fields, refuse_unknown, wrong
from adapters.inbound.http.use_cases import InstanceUseCases
from application.use_cases.list_instances import InstanceStatus
from domain.identifiers import InstanceId
from domain.latency import Percentiles
from domain.resilience.circuit_breaker import CircuitState
from domain.routing.instance_report import CircuitReport, InstanceReport

_JSON = (("content-type", "application/json"), ("cache-control", "no-store"))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WISHES = MappingProxyType({"open": CircuitState.OPEN, "closed": CircuitState.CLOSED, "auto": None})

_View = Callable[[str], Awaitable[Outgoing]]


def instances_blueprint(instances: InstanceUseCases) -> Blueprint:
    """`GET /admin/v1/instances`, and `POST …/{id}/drain`, `/undrain`, `/circuit`. Ids may hold slashes."""
    blueprint = Blueprint("instances", __name__, url_prefix="/admin/v1/instances")

    async def every() -> Outgoing:
        require_master(incoming().known_caller)
        return _json({"data": [_instance(status) for status in await instances.list()]})

    async def circuit(instance_id: str) -> Outgoing:
        fields = _fields(incoming(), {"state"})
        wish = fields.get("state")
        if not isinstance(wish, str) or wish not in _WISHES:
            raise wrong("state", 'one of "open", "closed" and "auto"', wish)
        return _json(_instance(await instances.force(InstanceId(instance_id), _WISHES[wish])))

    blueprint.add_url_rule("", "every", every, methods=["GET"])
    blueprint.add_url_rule("/<path:instance_id>/drain", "drain", _draining(instances, drained=True), methods=["POST"])
    undrain = _draining(instances, drained=False)
    blueprint.add_url_rule("/<path:instance_id>/undrain", "undrain", undrain, methods=["POST"])
    blueprint.add_url_rule("/<path:instance_id>/circuit", "circuit", circuit, methods=["POST"])
    return blueprint


def _draining(instances: InstanceUseCases, *, drained: bool) -> _View:
    async def view(instance_id: str) -> Outgoing:
        _fields(incoming(), set())
        return _json(_instance(await instances.drain(InstanceId(instance_id), drained)))

    return view


def _fields(request: Incoming, known: set[str]) -> Fields:
    """The fields of an operator's request; nobody else's is read. Where none is needed, there need be no body."""
    require_master(request.known_caller)
    if not request.payload:
        return {}
    fields = parse_object(request.payload)
    refuse_unknown(fields, known)
    return fields


def _instance(status: InstanceStatus) -> dict[str, object]:
    instance, report = status.instance, status.report
    return {
        "id": instance.id,
        "model_name": instance.model_name,
        "provider": instance.provider,
        "enabled": instance.enabled,
        "circuit": _circuit(report.circuit),
        "in_flight": report.in_flight,
        "health_score": status.health_score,
        "latency": {**_percentiles(status.latency), "measured": status.measured},
        "drained": report.drained,
        "cooldown": _cooldown(report),
    }


def _circuit(circuit: CircuitReport) -> dict[str, object]:
    return {
        "state": circuit.state,
        "opened_at": _time(circuit.opened_at_us),
        "next_probe_at": _time(circuit.next_probe_at_us),
        "reason": circuit.reason or None,
        "forced": circuit.forced is not None,
    }


def _cooldown(report: InstanceReport) -> dict[str, object] | None:
    if report.cooldown is None:
        return None
    return {"reason": report.cooldown, "until": _time(report.cooldown_until_us)}


def _percentiles(found: Percentiles) -> dict[str, object]:
    return {"p50_ms": _ms(found.p50_us), "p95_ms": _ms(found.p95_us), "p99_ms": _ms(found.p99_us)}


def _ms(span_us: int | None) -> float | None:
    return None if span_us is None else round(span_us / 1_000, 3)


def _time(at_us: int | None) -> str | None:
    """ISO 8601 in UTC."""
    if at_us is None:
        return None
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _json(document: object) -> Outgoing:
    return Outgoing(200, _JSON, json.dumps(document, separators=(",", ":")).encode())
