"""The shapes of what this adapter is handed: use cases as plain callables, and what they answer with."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from application.gateway_request import Completed, GatewayRequest, Streaming
from application.use_cases.check_readiness import Readiness
from application.use_cases.list_instances import InstanceStatus
from application.use_cases.list_models import ModelCard
from domain.audit import Deed
from domain.callers import Caller
from domain.health_report import HealthReport
from domain.identifiers import InstanceId, RequestId
from domain.limits.admission import Standing
from domain.principal import Principal
from domain.resilience.circuit_breaker import CircuitState

Complete = Callable[[GatewayRequest], Awaitable[Completed]]
Stream = Callable[[GatewayRequest], Awaitable[Streaming]]
ListModels = Callable[[Caller], Sequence[ModelCard]]
FindModel = Callable[[Caller, str], ModelCard]
PassBy = Callable[[RequestId, Caller], Awaitable[Sequence[Standing]]]
CheckReadiness = Callable[[], Readiness]
Scrape = Callable[[str], Awaitable[tuple[str, bytes]]]
"""The metrics: content type and text for an Accept header."""
ListInstances = Callable[[], Awaitable[Sequence[InstanceStatus]]]
DrainInstance = Callable[[InstanceId, bool], Awaitable[InstanceStatus]]
ForceCircuit = Callable[[InstanceId, CircuitState | None], Awaitable[InstanceStatus]]
CheckInstance = Callable[[InstanceId], Awaitable[HealthReport]]


Note = Callable[[Principal, Deed], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class InstanceUseCases:
    """What operators do with instances."""

    list: ListInstances
    drain: DrainInstance
    force: ForceCircuit
    check: CheckInstance


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """What `/health` tells of this process: its mode, why it has it, its version."""

    mode: str
    reason: str
    version: str
