"""What the sink does with its queue while Redis is away. §9.2 of the audit, without losing what can be kept."""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from typing import cast

import pytest
from redis.exceptions import ResponseError

from adapters.outbound.redis.event_sink import BATCH, CAPACITY, RedisEventSink
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.words import Word
from adapters.testing.doubles import SeededRandomness
from adapters.testing.event_history_contract import opened
from adapters.testing.virtual_time import VirtualClock, run_virtual
from application.errors import StateUnavailable
from domain.event_record import EventRecord, EventStream, KeptEvent, append


class FakeExecutor:
    """One stream. It can be down, or apply what it is told and give no answer."""

    def __init__(self) -> None:
        self.kept: deque[KeptEvent] = deque()
        self.calls = 0
        self.most_at_once = 0
        self.is_down = False
        self.is_mute = False
        self.error: Exception | None = None
        self._at_once = 0

    async def call(self, name: str, keys: Sequence[str], arguments: Sequence[Word]) -> int:
        assert (name, list(keys)) == ("events/append", ["p:circuit_events"])
        self.calls += 1
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        await asyncio.sleep(0)
        self._at_once -= 1
        if self.is_down:
            raise StateUnavailable("down")
        if self.error is not None:
            raise self.error
        event_id, look_back, _, *words = arguments
        record = EventRecord(EventStream.CIRCUIT, "", 0, {"instance_id": str(cast("bytes", words[5]).decode())})
        added = append(self.kept, KeptEvent(str(event_id), record), int(look_back))
        if self.is_mute:
            raise StateUnavailable("no answer")
        return added

    @property
    def names(self) -> list[str]:
        return [event.record.fields["instance_id"] for event in self.kept]


class Bench:
    """A sink that runs on a Redis of its own."""

    def __init__(self) -> None:
        self.redis = FakeExecutor()
        self.sink = RedisEventSink(cast("RedisExecutor", self.redis), "p:", VirtualClock(), SeededRandomness())
        self.running = asyncio.create_task(self.sink.run())

    def publish(self, *numbers: int) -> None:
        for number in numbers:
            self.sink.publish(opened(str(number)))

    async def settle(self, seconds: float = 10) -> None:
        await asyncio.sleep(seconds)


def named(*numbers: int) -> list[str]:
    return [str(number) for number in numbers]


def test_events_arrive_in_order_and_in_bounded_batches() -> None:
    async def scenario() -> None:
        bench = Bench()
        bench.publish(*range(3 * BATCH))
        await bench.settle()
        bench.publish(3 * BATCH)
        await bench.settle()
        assert bench.redis.names == named(*range(3 * BATCH + 1))
        assert bench.redis.most_at_once == BATCH
        assert bench.sink.dropped == 0

    run_virtual(scenario())


def test_events_wait_while_redis_is_away_and_arrive_in_order() -> None:
    async def scenario() -> None:
        bench = Bench()
        bench.redis.is_down = True
        bench.publish(1, 2)
        await bench.settle()
        bench.publish(3)
        await bench.settle()
        assert bench.redis.names == []
        assert bench.redis.calls < 100
        bench.redis.is_down = False
        await bench.settle()
        assert bench.redis.names == named(1, 2, 3)
        assert bench.sink.dropped == 0

    run_virtual(scenario())


def test_the_oldest_that_wait_make_room_and_are_counted() -> None:
    async def scenario() -> None:
        bench = Bench()
        bench.redis.is_down = True
        bench.publish(*range(CAPACITY + 7))
        assert bench.sink.dropped == 7
        bench.redis.is_down = False
        await bench.settle()
        assert bench.redis.names == named(*range(7, CAPACITY + 7))

    run_virtual(scenario())


def test_an_event_whose_sending_got_no_answer_is_kept_once() -> None:
    async def scenario() -> None:
        bench = Bench()
        bench.redis.is_mute = True
        bench.publish(1, 2)
        await bench.settle(0.5)
        bench.redis.is_mute = False
        bench.publish(3)
        await bench.settle()
        assert bench.redis.names == named(1, 2, 3)

    run_virtual(scenario())


def test_an_event_that_redis_refuses_is_dropped_and_the_next_arrives(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        bench = Bench()
        bench.redis.error = ResponseError("WRONGTYPE")
        bench.publish(1, 2)
        await bench.settle()
        bench.redis.error = None
        bench.publish(3)
        await bench.settle()
        assert bench.redis.names == named(3)
        assert bench.sink.dropped == 2

    with caplog.at_level(logging.WARNING, "moongate.events"):
        run_virtual(scenario())
    assert [record.getMessage() for record in caplog.records] == [
        "redis refuses 2 events (WRONGTYPE): they are dropped"
    ]


def test_what_waits_at_the_end_is_flushed_once_and_only_where_redis_answers() -> None:
    async def scenario() -> None:
        bench = Bench()
        bench.running.cancel()
        bench.publish(*range(3 * BATCH))
        await bench.sink.flush()
        assert bench.redis.names == named(*range(3 * BATCH))
        calls = bench.redis.calls
        await bench.sink.flush()
        assert bench.redis.calls == calls
        bench.redis.is_down = True
        bench.publish(*range(3 * BATCH))
        await bench.sink.flush()
        assert bench.redis.calls == calls + BATCH

    run_virtual(scenario())


def test_events_underway_when_the_sender_is_cancelled_are_flushed() -> None:
    async def scenario() -> None:
        bench = Bench()
        bench.publish(1, 2)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert bench.redis.calls == 2
        bench.running.cancel()
        await bench.sink.flush()
        assert bench.redis.names == named(1, 2)

    run_virtual(scenario())


def test_publishing_never_waits_for_redis() -> None:
    async def scenario() -> None:
        bench = Bench()
        bench.publish(1)
        assert bench.redis.calls == 0

    run_virtual(scenario())
