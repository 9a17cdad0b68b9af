import pytest

from adapters.outbound.memory.routing import MemoryRouting
from adapters.testing.doubles import SpyEventSink
from adapters.testing.routing_contract import CONFIG, RoutingContract, RoutingHarness
from adapters.testing.virtual_time import ManualClock


class TestMemoryRouting(RoutingContract):
    @pytest.fixture
    def harness(self) -> RoutingHarness:
        clock, events = ManualClock(), SpyEventSink()
        return RoutingHarness(MemoryRouting(CONFIG, clock, events), clock, events)
