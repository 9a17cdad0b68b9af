"""An instance that fails, over four gateways: what one of them learned, all of them know."""

import time

import pytest

from tests.e2e.behaviour import failing
from tests.e2e.fleet import Fleet
from tests.e2e.fleet_load import load_on
from tests.e2e.fleet_models import BREAKER
from tests.e2e.fleet_state import FleetState
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

TO_TRIP = int(str(BREAKER["consecutive_failures"]))
WITHIN_S = 0.5


def trips_told(state: FleetState) -> list[str]:
    """Where the circuit went, by the events of all gateways."""
    return [event["after"] for event in state.circuit_events() if event["instance_id"] == "trip-ill"]


async def test_audit_10_issue_2_all_gateways_leave_an_instance_alone_within_half_a_second_of_the_trip(
    fleet: Fleet, fleet_upstream: ScriptedUpstream, fleet_state: FleetState
) -> None:
    ill, well = fleet_upstream.lane("outage-ill"), fleet_upstream.lane("outage-well")
    async with load_on(fleet, "outage", clients=16, pause_s=0.01) as load:
        await eventually(lambda: len(ill.requests) >= 50, within_s=10, what="both serve")

        failed = len(ill.requests)
        ill.default = failing(500)
        await eventually(lambda: len(ill.requests) >= failed + TO_TRIP, within_s=5, what="it fails")
        served, served_on_s = len(well.requests), time.monotonic() + 2 * WITHIN_S
        await eventually(
            lambda: len(well.requests) >= served + 500 and well.requests[-1].began_s > served_on_s,
            within_s=15,
            what="the other one serves on",
        )

    failures = list(ill.requests)[failed:]
    tripped_s = failures[TO_TRIP - 1].ended_s
    assert tripped_s is not None
    assert well.requests[-1].began_s > tripped_s + WITHIN_S
    assert failures[-1].began_s <= tripped_s + WITHIN_S
    assert {reply.status for reply in load.replies} == {200}
    assert fleet_state.circuit("outage-ill")["state"] == "open"


async def test_audit_10_issue_2_failures_seen_by_different_gateways_add_up_to_one_trip(
    fleet: Fleet, fleet_upstream: ScriptedUpstream, fleet_state: FleetState
) -> None:
    ill = fleet_upstream.lane("trip-ill")
    ill.default = failing(500)

    async def asked_once_more() -> bool:
        assert (await fleet.chat("trip")).status == 200
        return fleet_state.circuit("trip-ill").get("state") == "open"

    await eventually(asked_once_more, within_s=5, what="it trips")
    replies = await fleet.spread("trip", 20)

    assert {reply.headers["x-moongate-instance"] for reply in replies} == {"trip-well"}
    assert len(ill.requests) == TO_TRIP
    await eventually(lambda: trips_told(fleet_state), within_s=5, what="the trip is told")
    assert trips_told(fleet_state) == ["open"]
