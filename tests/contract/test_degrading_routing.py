"""The contract holds whoever decides: the shared routing, or this gateway alone."""

from collections.abc import Mapping

import pytest

from adapters.outbound.memory.gateway_registry import MemoryGatewayRegistry
from adapters.outbound.memory.routing import MemoryRouting
from adapters.testing.doubles import SpyEventSink
from adapters.testing.routing_contract import CONFIG, RoutingContract, RoutingHarness
from adapters.testing.virtual_time import ManualClock
from application.degrading.degrading_routing import DegradingRouting
from application.errors import StateUnavailable
from domain.catalog import Instance
from domain.identifiers import LeaseId
from domain.routing.admission import AdmissionRequest, Admitted, NotAdmitted


class AwayRouting(MemoryRouting):
    """Is never reached."""

    async def admit(self, request: AdmissionRequest) -> Admitted | NotAdmitted:
        raise StateUnavailable(f"away: {request.lease_id}")

    async def renew(self, leases: Mapping[LeaseId, Instance], lease_us: int) -> None:
        raise StateUnavailable(f"away: {len(leases)} leases, {lease_us} us")


def harness_of(shared: type[MemoryRouting]) -> RoutingHarness:
    clock, events = ManualClock(), SpyEventSink()
    routing = DegradingRouting(
        shared(CONFIG, clock, events),
        lambda: MemoryRouting(CONFIG, clock, events),
        MemoryGatewayRegistry(),
        clock,
    )
    return RoutingHarness(routing, clock, events)


class TestDegradingRoutingWhileTheStoreIsUp(RoutingContract):
    @pytest.fixture
    def harness(self) -> RoutingHarness:
        return harness_of(MemoryRouting)


class TestDegradingRoutingWhileTheStoreIsDown(RoutingContract):
    @pytest.fixture
    def harness(self) -> RoutingHarness:
        made = harness_of(AwayRouting)
        assert isinstance(made.routing, DegradingRouting)
        made.routing.degraded = True
        return made
