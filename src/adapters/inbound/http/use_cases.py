"""The shapes of what this adapter is handed: use cases as plain callables, and what they answer with."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from application.gateway_request import Completed, GatewayRequest, Streaming
from application.use_cases.check_readiness import Readiness
from application.use_cases.list_models import ModelCard
from domain.callers import Caller
from domain.identifiers import RequestId
from domain.routing.decision import DecisionTrace

Complete = Callable[[GatewayRequest], Awaitable[Completed]]
Stream = Callable[[GatewayRequest], Awaitable[Streaming]]
ListModels = Callable[[Caller], Sequence[ModelCard]]
FindModel = Callable[[Caller, str], ModelCard]
CheckReadiness = Callable[[], Readiness]
FindDecision = Callable[[RequestId], DecisionTrace | None]


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """What `/health` tells of this process: its mode, why it has it, its version."""

    mode: str
    reason: str
    version: str
