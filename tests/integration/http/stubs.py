"""Stub use cases and ports: each test says what they answer."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self, cast

from adapters.inbound.http.admin.blueprint import AdminApi
from adapters.inbound.http.admin.circuits import circuit_routes
from adapters.inbound.http.admin.decisions import DecisionScope, decision_routes
from adapters.inbound.http.admin.instances import instance_routes
from adapters.inbound.http.admin.models import model_routes
from adapters.inbound.http.admin.route import AnyRoute
from adapters.inbound.http.admin.status import status_routes
from adapters.inbound.http.app import GatewayApp, create_http_app
from adapters.inbound.http.front_door import FrontDoor
from adapters.inbound.http.receiving import BodyLimits
from adapters.inbound.http.use_cases import InstanceUseCases, ProcessFacts
from adapters.outbound.memory.catalog_source import MemoryCatalogSource
from adapters.outbound.memory.decision_log import MemoryDecisionLog
from application.errors import GatewayError, InstanceNotFound, ModelNotFound
from application.gateway_request import Completed, GatewayRequest, Streaming
from application.ports.admin_store import AdminStore
from application.use_cases.admin.catalog import ReadCatalog
from application.use_cases.admin.find_principal import FindPrincipal
from application.use_cases.admin.status import Status, UsageFlow
from application.use_cases.check_readiness import Readiness
from application.use_cases.list_instances import InstanceStatus
from application.use_cases.list_models import ModelCard
from domain.audit import Deed
from domain.callers import Caller, CallerKind
from domain.catalog import Catalog, Instance, RouterPolicy
from domain.chat import Chunk, Reply
from domain.health_report import HealthReport
from domain.identifiers import InstanceId, ModelName, RequestId
from domain.limits.admission import Standing
from domain.price_book import Priced, Unpriced
from domain.principal import Principal
from domain.resilience.circuit_breaker import CircuitState
from domain.routing.decision import AttemptTrace, DecisionTrace
from domain.routing.instance_report import InstanceReport
from domain.tenants import Role

FACTS = ProcessFacts("lite", "no store is configured", "1.2.3")
MASTER_KEY = "master-secret"
LLM_KEY = "llm-secret"
BEARER = {"authorization": f"Bearer {MASTER_KEY}"}
REPLY = b'{"id":"chatcmpl-1","model":"gpt-4"}'
INSTANCE = Instance(InstanceId("gpt4-eu"), ModelName("gpt-4"), "openai", "gpt-4o")
CARDS = (
    ModelCard("gpt-4", 1_700_000_000, "openai", ("chat", "embeddings"), ("stop", "tools"), 128_000),
    ModelCard("meta/llama-3", 1_700_000_000, "vllm"),
)

_CALLERS = {MASTER_KEY: Caller(CallerKind.MASTER, "master", role=Role.ADMIN), LLM_KEY: Caller(CallerKind.KEY, "key-1")}


class StubAuthenticator:
    async def authenticate(self, credential: str | None) -> Caller | None:
        return _CALLERS.get(credential or "")


class StubClock:
    def now_us(self) -> int:
        return 1_700_000_000_000_000

    def monotonic_us(self) -> int:
        return 0

    async def sleep(self, span_us: int) -> None:
        raise AssertionError(f"nothing sleeps here, asked for {span_us}")


class CountingRandomness:
    def __init__(self) -> None:
        self._drawn = 0

    def draw(self) -> float:
        return 0.5

    def bits(self, count: int) -> int:
        self._drawn += 1
        return self._drawn % (1 << count)


def trace(models: Sequence[str] = ("gpt-4",), attempts: int = 1) -> DecisionTrace:
    story = DecisionTrace(RequestId("r-1"), models[0], "chat", stream=False, started_us=1)
    story.models_visited = [ModelName(model) for model in models]
    story.attempts = [
        AttemptTrace(number, ModelName(models[-1]), INSTANCE.id, "openai", 1) for number in range(1, attempts + 1)
    ]
    return story


@dataclass
class ScriptedChunks:
    """A stream that plays batches and errors; an `asyncio.Event` among them is waited for."""

    script: list[tuple[Chunk, ...] | Exception | asyncio.Event]
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[Chunk, ...]:
        while self.script:
            match self.script.pop(0):
                case asyncio.Event() as gate:
                    self.waiting.set()
                    await gate.wait()
                case Exception() as error:
                    raise error
                case batch:
                    return batch
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.closed.set()


def chunks(*payloads: str) -> tuple[Chunk, ...]:
    return tuple(Chunk(payload.encode()) for payload in payloads)


@dataclass
class StubGateway:
    """What the use cases do, and what they were asked."""

    asked: list[GatewayRequest] = field(default_factory=list)
    error: Exception | None = None
    hang: asyncio.Event | None = None
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    story: DecisionTrace = field(default_factory=trace)
    instance: Instance = INSTANCE
    cost_nano: int = 12_500_000
    scripted: ScriptedChunks = field(default_factory=lambda: ScriptedChunks([chunks('{"a":1}')]))
    readiness: Readiness = field(default_factory=lambda: Readiness(ready=True, parts={"models": "ok"}))
    kept: dict[str, DecisionTrace] = field(default_factory=dict)
    report: InstanceReport = field(default_factory=InstanceReport)
    check: HealthReport | None = None
    controlled: list[tuple[str, object]] = field(default_factory=list)
    deeds: list[tuple[str, Deed]] = field(default_factory=list)
    standings: Sequence[Standing] = ()
    limit_error: GatewayError | None = None
    catalog: Catalog = field(default_factory=lambda: Catalog({INSTANCE.model_name: (INSTANCE,)}))
    price: Priced | Unpriced = field(default_factory=lambda: Unpriced("openai", "gpt-4o"))
    standing: Status = field(default_factory=lambda: Status(0, {}, None, UsageFlow(0, 0, 0, None), 0, None))
    config: dict[str, Any] = field(default_factory=dict)

    async def _ask(self, request: GatewayRequest) -> None:
        self.asked.append(request)
        if self.hang is not None:
            try:
                self.hang.set()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled.set()
                raise
        if self.error is not None:
            raise self.error

    async def complete(self, request: GatewayRequest) -> Completed:
        await self._ask(request)
        return Completed(Reply(REPLY), self.instance, self.cost_nano, self.story)

    async def stream(self, request: GatewayRequest) -> Streaming:
        await self._ask(request)
        return Streaming(self.scripted, self.instance, self.story)

    async def scrape(self, accept: str) -> tuple[str, bytes]:
        return "text/plain; version=0.0.4", f"accept {accept}\n".encode()

    async def pass_by(self, _request_id: RequestId, _caller: Caller) -> Sequence[Standing]:
        if self.limit_error is not None:
            raise self.limit_error
        return self.standings

    def find_model(self, _caller: Caller, model: str) -> ModelCard:
        found = next((card for card in CARDS if card.id == model), None)
        if found is None:
            raise ModelNotFound(f"no {model!r}", param="model")
        return found

    async def list_instances(self) -> list[InstanceStatus]:
        if self.error is not None:
            raise self.error
        return [InstanceStatus(self.instance, self.report, self.check)]

    async def status(self) -> Status:
        return self.standing

    async def drain(self, instance_id: InstanceId, drained: bool) -> InstanceStatus:
        return await self._control(instance_id, drained)

    async def force(self, instance_id: InstanceId, state: CircuitState | None) -> InstanceStatus:
        return await self._control(instance_id, state)

    async def check_now(self, instance_id: InstanceId) -> HealthReport:
        await self._control(instance_id, "check")
        return self.check or HealthReport(1, reachable=True, latency_us=1, status=200)

    async def note(self, principal: Principal, deed: Deed) -> None:
        self.deeds.append((principal.actor, deed))

    async def _control(self, instance_id: InstanceId, wish: object) -> InstanceStatus:
        if self.error is not None:
            raise self.error
        if instance_id != self.instance.id:
            raise InstanceNotFound("no such instance")
        self.controlled.append((instance_id, wish))
        return InstanceStatus(self.instance, self.report, self.check)


def front_door(limits: BodyLimits | None = None) -> FrontDoor:
    return FrontDoor(StubAuthenticator(), StubClock(), CountingRandomness(), limits or BodyLimits())


def every_admin_route(stub: StubGateway) -> tuple[AnyRoute, ...]:
    """The whole table."""
    return (
        *decision_routes(_log_of(stub), DecisionScope.PROCESS),
        *instance_routes(InstanceUseCases(stub.list_instances, stub.drain, stub.force, stub.check_now), stub.note),
        *circuit_routes(stub.list_instances),
        *model_routes(
            ReadCatalog(
                MemoryCatalogSource(stub.catalog, RouterPolicy()), stub.list_instances, lambda _instance: stub.price
            )
        ),
        *status_routes(FACTS, stub.status, lambda: stub.config),
    )


def _log_of(stub: StubGateway) -> MemoryDecisionLog:
    log = MemoryDecisionLog()
    for kept in stub.kept.values():
        log.keep(kept)
    return log


def http_app(
    gateway: StubGateway | None = None,
    door: FrontDoor | None = None,
    admin: AdminApi | None = None,
    *,
    measures: bool = True,
) -> GatewayApp:
    stub = gateway or StubGateway()
    return create_http_app(
        door or front_door(),
        complete=stub.complete,
        stream=stub.stream,
        list_models=lambda _caller: CARDS,
        find_model=stub.find_model,
        pass_by=stub.pass_by,
        check_readiness=lambda: stub.readiness,
        admin=admin or AdminApi(FindPrincipal(cast("AdminStore", None)), every_admin_route(stub)),
        facts=FACTS,
        scrape=stub.scrape if measures else None,
    )
