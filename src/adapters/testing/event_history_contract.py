"""The contract of EventHistory, together with the sink that fills it.

Inherit, give it `events`, and every test must pass.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from adapters.testing.virtual_time import ManualClock
from application.ports.event_history import EventHistory
from application.ports.event_sink import EventSink
from domain.event_record import KEPT, EventRecord, EventStream
from domain.events import CircuitChanged
from domain.identifiers import InstanceId
from domain.resilience.circuit_breaker import CircuitState, Transition


@dataclass
class Events:
    """A sink, the history it fills, the clock both go by, and how to wait until what was published can be read."""

    sink: EventSink
    history: EventHistory
    clock: ManualClock
    arrive: Callable[[], Awaitable[None]]

    async def circuits(self, count: int) -> list[str]:
        """The instances of the last changes."""
        return [record.fields["instance_id"] for record in await self.history.last(EventStream.CIRCUIT, count)]


def opened(instance_id: str) -> CircuitChanged:
    """One event."""
    transition = Transition(CircuitState.CLOSED, CircuitState.OPEN, "failure_rate", 1)
    return CircuitChanged(InstanceId(instance_id), transition)


class EventHistoryContract:
    """Wants `events`, with nothing in them."""

    async def test_nothing_has_happened_at_first(self, events: Events) -> None:
        assert [list(await events.history.last(stream, 10)) for stream in EventStream] == [[], [], []]

    async def test_an_event_is_told_in_full(self, events: Events) -> None:
        events.sink.publish(opened("a"))
        await events.arrive()

        expected = {"instance_id": "a", "before": "closed", "after": "open", "reason": "failure_rate"}
        assert list(await events.history.last(EventStream.CIRCUIT, 10)) == [
            EventRecord(EventStream.CIRCUIT, "circuit_changed", events.clock.now_us(), expected)
        ]

    async def test_the_newest_come_first_and_no_more_than_asked_for(self, events: Events) -> None:
        for name in "abcde":
            events.sink.publish(opened(name))
        await events.arrive()

        assert await events.circuits(3) == ["e", "d", "c"]
        assert await events.circuits(100) == ["e", "d", "c", "b", "a"]
        assert await events.circuits(0) == []

    async def test_an_event_bears_the_time_at_which_it_was_announced(self, events: Events) -> None:
        announced_us = events.clock.now_us()
        events.sink.publish(opened("a"))
        events.clock.advance(5_000_001)
        events.sink.publish(opened("b"))
        await events.arrive()

        times = [record.at_us for record in await events.history.last(EventStream.CIRCUIT, 10)]
        assert times == [announced_us + 5_000_001, announced_us]

    async def test_equal_events_are_two_events(self, events: Events) -> None:
        events.sink.publish(opened("a"))
        events.sink.publish(opened("a"))
        await events.arrive()

        assert await events.circuits(10) == ["a", "a"]

    async def test_streams_do_not_mix(self, events: Events) -> None:
        """§9.2 of the audit: usage and budget events have streams of their own."""
        events.sink.publish(opened("a"))
        await events.arrive()

        assert list(await events.history.last(EventStream.USAGE, 10)) == []
        assert list(await events.history.last(EventStream.BUDGET, 10)) == []

    async def test_names_survive_whatever_they_are(self, events: Events) -> None:
        hostile = "a\r\n%s {}:*\0 ключ €"
        events.sink.publish(opened(hostile))
        await events.arrive()

        assert await events.circuits(1) == [hostile]

    async def test_about_ten_thousand_are_kept(self, events: Events) -> None:
        """§9.2 of the audit: at most 10,000 events a stream, trimmed approximately."""
        published = 10_600
        for number in range(published):
            events.sink.publish(opened(str(number)))
            if number % 500 == 499:
                await events.arrive()
        await events.arrive()

        newest_first = [str(number) for number in reversed(range(published))]
        found = await events.circuits(2 * published)
        assert found == newest_first[: len(found)]
        assert KEPT <= len(found) <= KEPT + 200
