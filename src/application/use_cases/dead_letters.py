from dataclasses import dataclass

from application.ports.usage_stream import UsageStream
from domain.pages import Page
from domain.usage_stream import DeadLetter


@dataclass(frozen=True, slots=True)
class ListDeadLetters:
    """Usage records that the ledger refused, oldest first."""

    stream: UsageStream

    async def __call__(self, limit: int, after: str | None = None) -> Page[DeadLetter]:
        """A page of them. Raises StateUnavailable."""
        letters, more = await self.stream.list_dead(limit, after)
        return Page(tuple(letters), more)


@dataclass(frozen=True, slots=True)
class ReplayDeadLetter:
    """Sends a dead letter on its way again, as a new record."""

    stream: UsageStream

    async def __call__(self, record_id: str) -> bool:
        """False where there is no such dead letter. Raises StateUnavailable."""
        return await self.stream.replay(record_id)


@dataclass(frozen=True, slots=True)
class DiscardDeadLetter:
    """Gives a dead letter up: this usage will never be in the ledger."""

    stream: UsageStream

    async def __call__(self, record_id: str) -> bool:
        """False where there is no such dead letter. Raises StateUnavailable."""
        return await self.stream.discard(record_id)
