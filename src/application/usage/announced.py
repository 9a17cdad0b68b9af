from collections.abc import Callable, Sequence

from application.ports.event_sink import EventSink
from domain.events import UsageRecorded
from domain.usage_record import UsageRecord


def announced_to(sink: EventSink) -> Callable[[Sequence[UsageRecord]], None]:
    """Announces each record that is in the ledger now."""

    def announce(records: Sequence[UsageRecord]) -> None:
        for record in records:
            sink.publish(UsageRecorded(record))

    return announce
