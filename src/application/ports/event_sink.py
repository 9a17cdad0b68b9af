from typing import Protocol

from domain.events import Event


class EventSink(Protocol):
    """Where things that happened are announced. Never blocks, never fails; may drop what it can't keep up with."""

    def publish(self, event: Event) -> None:
        """Announces it."""
        ...
