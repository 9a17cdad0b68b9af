"""One request as OpenTelemetry's semantic conventions name its parts."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from adapters.outbound.telemetry.access_fields import ttft_us
from application.answered import Answered
from domain.routing.decision import AttemptTrace, DecisionTrace

NS_PER_US: Final = 1_000
_FAULT: Final = 500
_GATEWAY: Final = "moongate"
_SUCCESS: Final = "success"
_OPERATIONS: Final = MappingProxyType({"completions": "text_completion"})
_PROVIDERS: Final = MappingProxyType(
    {
        "azure": "azure.ai.openai",
        "bedrock": "aws.bedrock",
        "vertex": "gcp.vertex_ai",
        "gemini": "gcp.gemini",
        "mistral": "mistral_ai",
    }
)


@dataclass(frozen=True, slots=True)
class Story:
    """A request that has ended, at `ended_us` since the epoch."""

    answered: Answered
    trace: DecisionTrace | None
    ended_us: int

    @property
    def began_us(self) -> int:
        """Counted back from the end, which is told a little late: so never later than what it is known to have done."""
        began_us = self.ended_us - self.answered.duration_us
        return began_us if self.trace is None else min(began_us, self.trace.started_us)

    @property
    def attempts(self) -> Sequence[AttemptTrace]:
        """All calls to providers."""
        return () if self.trace is None else self.trace.attempts

    @property
    def operation(self) -> str | None:
        """What was asked of a model; None where none was asked."""
        return None if self.trace is None else _OPERATIONS.get(self.trace.endpoint, self.trace.endpoint)

    @property
    def provider(self) -> str:
        """Who answered in the end; the gateway itself where no provider did."""
        return provider_name(self.attempts[-1]) if self.attempts else _GATEWAY

    @property
    def error_type(self) -> str | None:
        """Whose fault it was is in the status: a client's error is none of the server's."""
        answered, trace = self.answered, self.trace
        if answered.status is not None and answered.status >= _FAULT:
            return answered.error_code or str(answered.status)
        if trace is not None and trace.outcome == "stream_broken":
            return trace.outcome
        return None

    @property
    def ttft_us(self) -> int | None:
        """From the request's arrival to its stream's first content."""
        return None if self.trace is None else ttft_us(self.trace)

    def span_of(self, attempt: AttemptTrace) -> tuple[int, int]:
        """Its beginning and its end; of one that nobody saw the end of, the request's."""
        if attempt.duration_us is None:
            return attempt.started_us, max(attempt.started_us, self.ended_us)
        return attempt.started_us, attempt.started_us + attempt.duration_us


def provider_name(attempt: AttemptTrace) -> str:
    """As the conventions spell it, where they know it."""
    return _PROVIDERS.get(attempt.provider, attempt.provider)


def failure_of(attempt: AttemptTrace) -> str | None:
    """Why it failed; None where it succeeded."""
    return None if attempt.outcome == _SUCCESS else attempt.outcome or "unknown"
