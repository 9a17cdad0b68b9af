from collections.abc import Sequence

from application.ports.event_sink import EventSink
from domain.events import Event


class FanOut:
    """Announces each event to several sinks, in their order. They never fail, so none keeps it from the next."""

    def __init__(self, sinks: Sequence[EventSink]) -> None:
        self._sinks = tuple(sinks)

    def publish(self, event: Event) -> None:
        """Announces it to all."""
        for sink in self._sinks:
            sink.publish(event)


_conforms: type[EventSink] = FanOut
