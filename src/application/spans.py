import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from domain.catalog import Instance, RouterPolicy
from domain.failure import Failure, FailureKind, ProviderFailed
from domain.resilience.deadline import Deadline

_US_PER_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Spans:
    """How long the parts of one attempt may take, in microseconds.

    Attributes:
        attempt_us: The whole reply, or of a stream everything up to its first content. Ends with the deadline.
        first_byte_us: Of a stream: up to its first chunk.
        idle_us: Of a stream after its first content: between chunks.
    """

    attempt_us: int
    first_byte_us: int
    idle_us: int

    @classmethod
    def of(
        cls, policy: RouterPolicy, instance: Instance, deadline: Deadline, attempt_in_model: int, now_us: int
    ) -> Self:
        """The spans of attempt number `attempt_in_model` (from 1) at one model."""
        base_us = instance.timeout_us or policy.default_timeout_us
        attempt_us = deadline.attempt_timeout_us(base_us, policy.failover_timeout_multiple, attempt_in_model, now_us)
        return cls(attempt_us, min(policy.first_byte_timeout_us, attempt_us), policy.idle_timeout_us)


class time_limit:  # noqa: N801 - reads as the context manager it is
    """Ends what takes longer with a TIMEOUT failure. The request was sent: the provider may bill for it."""

    __slots__ = ("_message", "_timeout")

    def __init__(self, span_us: int, message: str) -> None:
        self._timeout = asyncio.timeout(span_us / _US_PER_SECOND)
        self._message = message

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError:
            raise ProviderFailed(Failure(FailureKind.TIMEOUT, self._message, ambiguous=True)) from None
