import pytest

from adapters.outbound.memory.event_history import MemoryEventHistory
from adapters.outbound.redis.event_history import RedisEventHistory
from adapters.outbound.redis.event_sink import RedisEventSink
from adapters.outbound.redis.executor import RedisExecutor
from adapters.testing.doubles import SeededRandomness
from adapters.testing.event_history_contract import EventHistoryContract, Events, opened
from adapters.testing.small_contracts import EventSinkContract
from adapters.testing.virtual_time import ManualClock
from application.ports.event_sink import EventSink

WEEK_MS = 7 * 86_400_000


class TestMemoryEventHistory(EventHistoryContract):
    @pytest.fixture
    def events(self) -> Events:
        async def arrive() -> None:
            """It is there at once."""

        clock = ManualClock()
        history = MemoryEventHistory(clock)
        return Events(history, history, clock, arrive)


class TestMemoryEventSink(EventSinkContract):
    @pytest.fixture
    def event_sink(self) -> EventSink:
        return MemoryEventHistory(ManualClock())


class TestRedisEventHistory(EventHistoryContract):
    @pytest.fixture
    def events(self, redis_executor: RedisExecutor, redis_prefix: str) -> Events:
        clock = ManualClock()
        sink = RedisEventSink(redis_executor, redis_prefix, clock, SeededRandomness())
        return Events(sink, RedisEventHistory(redis_executor, redis_prefix), clock, sink.flush)

    async def test_each_event_leaves_its_stream_a_week_to_live(
        self, events: Events, redis_executor: RedisExecutor, redis_prefix: str
    ) -> None:
        events.sink.publish(opened("a"))
        await events.arrive()

        assert WEEK_MS - 60_000 < await redis_executor.command("PTTL", f"{redis_prefix}circuit_events") <= WEEK_MS

    async def test_a_text_that_is_none_is_escaped(self, events: Events) -> None:
        events.sink.publish(opened("\udcff"))
        await events.arrive()

        assert await events.circuits(1) == ["\\udcff"]


class TestRedisEventSink(EventSinkContract):
    @pytest.fixture
    def event_sink(self, redis_executor: RedisExecutor, redis_prefix: str) -> EventSink:
        return RedisEventSink(redis_executor, redis_prefix, ManualClock(), SeededRandomness())
