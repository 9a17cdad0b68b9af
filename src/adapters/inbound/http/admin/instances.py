"""Instances, as operators see and steer them."""

import json
from collections.abc import Awaitable, Callable
from types import MappingProxyType
from typing import Any, Literal

from adapters.inbound.http.admin.route import AnyRoute, Asked, Method, Route
from adapters.inbound.http.admin.schema import Listing, NoFields, Schema
from adapters.inbound.http.admin.wire import TimeOut
from adapters.inbound.http.use_cases import InstanceUseCases, Note
from application.use_cases.list_instances import InstanceStatus
from domain.audit import Deed
from domain.failure import Cooldown
from domain.health_report import HealthReport
from domain.identifiers import InstanceId
from domain.latency import LatencyKind
from domain.principal import Permission
from domain.resilience.circuit_breaker import CircuitState
from domain.routing.instance_report import CircuitReport, InstanceReport

_WISHES = MappingProxyType({"open": CircuitState.OPEN, "closed": CircuitState.CLOSED, "auto": None})


class Circuit(Schema):
    """The circuit breaker of an instance."""

    state: CircuitState
    opened_at: TimeOut | None
    next_probe_at: TimeOut | None
    reason: str | None
    forced: bool


class Latency(Schema):
    """Percentiles of the last five minutes. `measured` says of what."""

    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    measured: LatencyKind | None


class CooldownShown(Schema):
    """Why an instance is left alone, and until when."""

    reason: Cooldown
    until: TimeOut | None


class CheckShown(Schema):
    """A health check. `ok` also where the provider refused it: somebody is there. `message` says how."""

    at: TimeOut
    ok: bool
    status: int | None
    latency_ms: float | None
    message: str | None


class InstanceShown(Schema):
    """An instance and how it does."""

    id: str
    model_name: str
    provider: str
    enabled: bool
    circuit: Circuit
    in_flight: int
    health_score: int
    latency: Latency
    drained: bool
    cooldown: CooldownShown | None
    last_check: CheckShown | None


class InstanceList(Listing[InstanceShown]):
    """All instances of the configuration, on one page."""


class CircuitWish(Schema):
    """What a circuit is to be; with `auto`, outcomes decide again."""

    state: Literal["open", "closed", "auto"]


_Plain = Asked[NoFields, NoFields]


def instance_routes(instances: InstanceUseCases, note: Note) -> tuple[AnyRoute, ...]:
    """`GET /instances`, and `POST …/{id}/drain`, `/undrain`, `/circuit`, `/check`. Ids may hold slashes."""

    async def every(_asked: _Plain) -> InstanceList:
        return InstanceList(data=[_instance(status) for status in await instances.list()], next=None)

    async def drain(asked: _Plain) -> InstanceShown:
        return await _noted("drain", asked, note, await instances.drain(_id(asked), True))

    async def undrain(asked: _Plain) -> InstanceShown:
        return await _noted("undrain", asked, note, await instances.drain(_id(asked), False))

    async def check(asked: _Plain) -> CheckShown:
        shown = shown_check(await instances.check(_id(asked)))
        await note(asked.principal, Deed("instance.check", f"instance:{_id(asked)}"))
        return shown

    async def circuit(asked: Asked[CircuitWish, NoFields]) -> InstanceShown:
        status = await instances.force(_id(asked), _WISHES[asked.body.state])
        return await _noted("circuit", asked, note, status, json.dumps({"state": asked.body.state}))

    return (
        Route(
            method=Method.GET,
            path="/instances",
            permission=Permission.SEE_GATEWAY,
            summary="All instances and how they do",
            handler=every,
            response=InstanceList,
        ),
        _steering("drain", "Take an instance out of rotation", drain),
        _steering("undrain", "Take an instance back into rotation", undrain),
        _steering("check", "Check now whether the provider of an instance is there", check, CheckShown),
        _steering(
            "circuit",
            "Force the circuit of an instance, or let outcomes decide again",
            circuit,
            request=CircuitWish,
        ),
    )


def _steering(
    verb: str,
    summary: str,
    handler: Callable[[Any], Awaitable[Schema]],
    response: type[Schema] = InstanceShown,
    request: type[Schema] = NoFields,
) -> AnyRoute:
    return Route(
        method=Method.POST,
        path=f"/instances/{{instance_id:path}}/{verb}",
        permission=Permission.CHANGE_GATEWAY,
        summary=summary,
        handler=handler,
        request=request,
        response=response,
    )


async def _noted(
    verb: str, asked: Asked[Any, Any], note: Note, status: InstanceStatus, wish: str | None = None
) -> InstanceShown:
    await note(asked.principal, Deed(f"instance.{verb}", f"instance:{_id(asked)}", wish))
    return _instance(status)


def _id(asked: Asked[Any, Any]) -> InstanceId:
    return InstanceId(asked.path["instance_id"])


def _instance(status: InstanceStatus) -> InstanceShown:
    instance, report, latency = status.instance, status.report, status.latency
    return InstanceShown(
        id=instance.id,
        model_name=instance.model_name,
        provider=instance.provider,
        enabled=instance.enabled,
        circuit=shown_circuit(report.circuit),
        in_flight=report.in_flight,
        health_score=status.health_score,
        latency=Latency(
            p50_ms=_ms(latency.p50_us),
            p95_ms=_ms(latency.p95_us),
            p99_ms=_ms(latency.p99_us),
            measured=status.measured,
        ),
        drained=report.drained,
        cooldown=_cooldown(report),
        last_check=None if status.check is None else shown_check(status.check),
    )


def shown_circuit(circuit: CircuitReport) -> Circuit:
    """The circuit as clients see it."""
    return Circuit(
        state=circuit.state,
        opened_at=circuit.opened_at_us,
        next_probe_at=circuit.next_probe_at_us,
        reason=circuit.reason or None,
        forced=circuit.forced is not None,
    )


def shown_check(report: HealthReport) -> CheckShown:
    """The report as clients see it."""
    return CheckShown(
        at=report.checked_at_us,
        ok=report.reachable,
        status=report.status,
        latency_ms=_ms(report.latency_us),
        message=report.message or None,
    )


def _cooldown(report: InstanceReport) -> CooldownShown | None:
    if report.cooldown is None:
        return None
    return CooldownShown(reason=report.cooldown, until=report.cooldown_until_us)


def _ms(span_us: int | None) -> float | None:
    return None if span_us is None else round(span_us / 1_000, 3)
