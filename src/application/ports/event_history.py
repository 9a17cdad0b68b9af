from collections.abc import Sequence
from typing import Protocol

from domain.event_record import EventRecord, EventStream


class EventHistory(Protocol):
    """What happened lately, in all processes that share the store.

    About the last 10,000 events of each stream are kept; a stream in which nothing happens for a week may be forgotten.
    Events show some time after they were announced, and those of several processes in the order in which they arrived.

    Raises:
        StateUnavailable: The store does not answer.
    """

    async def last(self, stream: EventStream, count: int) -> Sequence[EventRecord]:
        """The newest events of a stream, newest first, at most `count` of them (0 or more)."""
        ...
