from collections import deque
from collections.abc import Sequence
from itertools import islice

from application.ports.clock import Clock
from application.ports.event_history import EventHistory
from application.ports.event_sink import EventSink
from domain.event_record import KEPT, EventRecord, EventStream, record_of
from domain.events import Event


class MemoryEventHistory:
    """The events of this process: a sink that can be read."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[EventStream, deque[EventRecord]] = {stream: deque(maxlen=KEPT) for stream in EventStream}

    def publish(self, event: Event) -> None:
        record = record_of(event, self._clock.now_us())
        self._kept[record.stream].append(record)

    async def last(self, stream: EventStream, count: int) -> Sequence[EventRecord]:
        return tuple(islice(reversed(self._kept[stream]), count))


_conforms_sink: type[EventSink] = MemoryEventHistory
_conforms_history: type[EventHistory] = MemoryEventHistory
