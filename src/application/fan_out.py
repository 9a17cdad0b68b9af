from collections.abc import Sequence

from application.ports.event_sink import EventSink
from application.ports.request_observer import RequestObserver
from domain.events import Event
from domain.routing.decision import DecisionTrace


class FanOut:
    """Announces each event to several sinks, in their order. They never fail, so none keeps it from the next."""

    def __init__(self, sinks: Sequence[EventSink]) -> None:
        self._sinks = tuple(sinks)

    def publish(self, event: Event) -> None:
        """Announces it to all."""
        for sink in self._sinks:
            sink.publish(event)


class Observers:
    """Tells each request's story to several observers, in their order."""

    def __init__(self, observers: Sequence[RequestObserver] = ()) -> None:
        self._observers = tuple(observers)

    def finished(self, trace: DecisionTrace) -> None:
        """Tells all."""
        for observer in self._observers:
            observer.finished(trace)


_conforms: type[EventSink] = FanOut
_observes: type[RequestObserver] = Observers
