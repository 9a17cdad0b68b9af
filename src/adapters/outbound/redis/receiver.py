"""Whom lanes tell what came back."""

from collections.abc import Sequence
from typing import Protocol

from adapters.outbound.redis.asked import Asked


class Receiver(Protocol):
    """Whom a lane tells what came back."""

    def receive(self, asked: Asked, said: object) -> Exception | None:
        """`asked` was answered, or failed with an error; returns the error where it means an outage."""
        ...

    def judge(self, outage: Exception | None, took_s: float) -> None:
        """A whole batch is back."""
        ...

    def judge_lost(self, outages: Sequence[Exception], took_s: float) -> None:
        """The connection is lost, with so many batches; `took_s` is the age of the oldest."""
        ...
