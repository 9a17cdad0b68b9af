"""What operators say to one of four gateways holds in all, and all of them show the same."""

import asyncio
import json
from typing import Any

import pytest

from tests.e2e.behaviour import OK, Behaviour, failing
from tests.e2e.fleet import Fleet
from tests.e2e.fleet_models import BREAKER
from tests.e2e.fleet_state import FleetState
from tests.e2e.raw_http import RawReply
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

ASKED = 24
TO_TRIP = int(str(BREAKER["consecutive_failures"]))


async def seen(fleet: Fleet, instance_id: str) -> list[dict[str, Any]]:
    """What each gateway shows of an instance."""
    return [shown[instance_id] for shown in await fleet.each(fleet.instances)]


async def servers(fleet: Fleet, model: str) -> set[str]:
    """Who serves a model now, whichever gateway is asked."""
    replies: list[RawReply] = await fleet.spread(model, ASKED)
    assert {reply.status for reply in replies} == {200}
    return {reply.headers["x-moongate-instance"] for reply in replies}


async def test_instance_drained_through_one_gateway_is_left_out_by_all_until_another_undrains_it(fleet: Fleet) -> None:
    assert await servers(fleet, "drained") == {"drained-ill", "drained-well"}

    assert (await fleet.control("drained-ill", "drain")).status == 200

    assert await servers(fleet, "drained") == {"drained-well"}
    assert [shown["drained"] for shown in await seen(fleet, "drained-ill")] == [True] * len(fleet.gateways)

    assert (await fleet.control("drained-ill", "undrain")).status == 200

    assert await servers(fleet, "drained") == {"drained-ill", "drained-well"}
    assert [shown["drained"] for shown in await seen(fleet, "drained-ill")] == [False] * len(fleet.gateways)


async def test_circuit_forced_through_one_gateway_is_forced_for_all(
    fleet: Fleet, fleet_upstream: ScriptedUpstream
) -> None:
    async def force(state: str) -> list[tuple[str, bool]]:
        reply = await fleet.control("forced-ill", "circuit", json.dumps({"state": state}).encode())
        assert reply.status == 200
        circuits = [shown["circuit"] for shown in await seen(fleet, "forced-ill")]
        return [(circuit["state"], circuit["forced"]) for circuit in circuits]

    lane, everybody = fleet_upstream.lane("forced-ill"), len(fleet.gateways)

    assert await force("open") == [("open", True)] * everybody
    assert await servers(fleet, "forced") == {"forced-well"}

    # Forced to be closed it stays in rotation, however often it fails.
    assert await force("closed") == [("closed", True)] * everybody
    lane.default = failing(500)
    for _ in range(4 * TO_TRIP):
        assert (await fleet.chat("forced")).status == 200
    assert len(lane.requests) > TO_TRIP

    lane.default = OK
    assert await force("auto") == [("closed", False)] * everybody
    assert await servers(fleet, "forced") == {"forced-ill", "forced-well"}


async def test_audit_9_3_load_and_latency_of_an_instance_look_the_same_from_every_gateway(
    fleet: Fleet, fleet_upstream: ScriptedUpstream, fleet_state: FleetState
) -> None:
    lane = fleet_upstream.lane("seen-well")
    fleet_upstream.lane("seen-ill").default = lane.default = Behaviour(delay_s=0.05)
    await fleet.spread("seen", ASKED)

    lane.default = Behaviour(delay_s=2.0)
    running = [asyncio.create_task(fleet.chat("seen")) for _ in range(8)]
    before = ASKED // 2
    await eventually(lambda: len(lane.requests) == before + 4, within_s=5, what="four are under way")
    await eventually(lambda: not fleet_state.leases("seen-ill"), within_s=5, what="the others are through")

    well, ill = await seen(fleet, "seen-well"), await seen(fleet, "seen-ill")
    assert [shown["in_flight"] for shown in well] == [4] * len(fleet.gateways)
    assert all(shown["latency"] == ill[0]["latency"] for shown in ill)
    assert 50 <= ill[0]["latency"]["p50_ms"] < 500
    await asyncio.gather(*running)
