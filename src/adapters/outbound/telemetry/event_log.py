import logging

from application.ports.event_sink import EventSink
from domain.events import Event

_log = logging.getLogger("moongate.events")


class LogEventSink:
    """Writes one line per event to the log."""

    def publish(self, event: Event) -> None:
        transition = event.transition
        _log.warning(
            "circuit of %s: %s -> %s (%s)", event.instance_id, transition.before, transition.after, transition.reason
        )


_conforms: type[EventSink] = LogEventSink
