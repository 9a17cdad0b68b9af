import pytest

from adapters.outbound.telemetry.event_log import LogEventSink
from adapters.testing.doubles import SpyEventSink
from adapters.testing.small_contracts import EventSinkContract
from application.ports.event_sink import EventSink


class TestLogEventSink(EventSinkContract):
    @pytest.fixture
    def event_sink(self) -> EventSink:
        return LogEventSink()


class TestSpyEventSink(EventSinkContract):
    @pytest.fixture
    def event_sink(self) -> EventSink:
        return SpyEventSink()
