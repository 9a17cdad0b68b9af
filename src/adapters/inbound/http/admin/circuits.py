"""Circuits and latencies, instance by instance."""

from dataclasses import dataclass

from adapters.inbound.http.admin.instances import Circuit, shown_circuit
from adapters.inbound.http.admin.route import AnyRoute, Asked, Method, Route
from adapters.inbound.http.admin.schema import Listing, NoFields, Query, Schema
from adapters.inbound.http.use_cases import ListInstances
from application.use_cases.list_instances import InstanceStatus
from domain.latency import LatencyKind, Percentiles
from domain.principal import Permission
from domain.resilience.circuit_breaker import CircuitState


class InstanceCircuit(Circuit):
    """The circuit breaker of an instance, and whose it is."""

    instance: str
    model_name: str
    provider: str


class CircuitList(Listing[InstanceCircuit]):
    """The circuits of all instances of the configuration, on one page."""


class CircuitQuery(Query):
    """Which of them: those in one state."""

    state: CircuitState | None = None


class LatencyPercentiles(Schema):
    """Of the last five minutes; `count` is how many were measured."""

    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    count: int


class InstanceLatency(Schema):
    """How long an instance takes for whole replies, and for the first content of streams. Null: nothing measured."""

    instance: str
    model_name: str
    provider: str
    health_score: int
    in_flight: int
    whole: LatencyPercentiles | None
    first_content: LatencyPercentiles | None


class LatencyList(Listing[InstanceLatency]):
    """The latencies of all instances of the configuration, on one page."""


@dataclass(frozen=True, slots=True)
class _Handlers:
    list_instances: ListInstances

    async def circuits(self, asked: Asked[NoFields, CircuitQuery]) -> CircuitList:
        found = [_circuit(status) for status in await self.list_instances()]
        wanted = asked.query.state
        return CircuitList(data=[one for one in found if wanted in {None, one.state}], next=None)

    async def latencies(self, _asked: Asked[NoFields, NoFields]) -> LatencyList:
        return LatencyList(data=[_latency(status) for status in await self.list_instances()], next=None)


def circuit_routes(list_instances: ListInstances) -> tuple[AnyRoute, ...]:
    """`GET /circuits` and `GET /latency`."""
    handlers = _Handlers(list_instances)
    return (
        Route(
            method=Method.GET,
            path="/circuits",
            permission=Permission.SEE_GATEWAY,
            summary="The circuits of all instances",
            handler=handlers.circuits,
            query=CircuitQuery,
            response=CircuitList,
        ),
        Route(
            method=Method.GET,
            path="/latency",
            permission=Permission.SEE_GATEWAY,
            summary="The latencies of all instances",
            handler=handlers.latencies,
            response=LatencyList,
        ),
    )


def _circuit(status: InstanceStatus) -> InstanceCircuit:
    instance, circuit = status.instance, shown_circuit(status.report.circuit)
    return InstanceCircuit(
        instance=instance.id, model_name=instance.model_name, provider=instance.provider, **dict(circuit)
    )


def _latency(status: InstanceStatus) -> InstanceLatency:
    instance, measured = status.instance, status.report.latency
    return InstanceLatency(
        instance=instance.id,
        model_name=instance.model_name,
        provider=instance.provider,
        health_score=status.health_score,
        in_flight=status.report.in_flight,
        whole=_percentiles(measured.get(LatencyKind.WHOLE)),
        first_content=_percentiles(measured.get(LatencyKind.FIRST_CONTENT)),
    )


def _percentiles(found: Percentiles | None) -> LatencyPercentiles | None:
    if found is None:
        return None
    return LatencyPercentiles(
        p50_ms=_ms(found.p50_us), p95_ms=_ms(found.p95_us), p99_ms=_ms(found.p99_us), count=found.count
    )


def _ms(span_us: int | None) -> float | None:
    return None if span_us is None else span_us / 1_000
