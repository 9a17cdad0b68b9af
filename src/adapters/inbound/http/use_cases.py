"""The shapes of what this adapter is handed: use cases as plain callables, and what they answer with."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from application.gateway_request import Completed, GatewayRequest, Streaming
from domain.callers import Caller
from domain.identifiers import RequestId
from domain.routing.decision import DecisionTrace


class ModelCard(Protocol):
    """What a caller sees of a model, alias or route it may use."""

    @property
    def id(self) -> str:
        """The name to ask for."""
        ...

    @property
    def created(self) -> int:
        """Unix time in seconds."""
        ...

    @property
    def owned_by(self) -> str:
        """The provider's type, or the gateway."""
        ...


class Readiness(Protocol):
    """Whether requests can be served."""

    @property
    def ready(self) -> bool:
        """Yes or no."""
        ...

    @property
    def parts(self) -> Mapping[str, str]:
        """What was found of each part that was checked."""
        ...


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
