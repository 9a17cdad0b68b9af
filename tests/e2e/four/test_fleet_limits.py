"""Limits of an instance over four gateways: what is admitted is counted once, wherever it was asked for."""

import asyncio
import time
from math import ceil

import pytest

from tests.e2e.behaviour import Behaviour, Ending, ending
from tests.e2e.fleet import Fleet
from tests.e2e.fleet_load import load_on
from tests.e2e.fleet_models import MAX_PARALLEL, RPM
from tests.e2e.fleet_state import FleetState
from tests.e2e.raw_http import RawReply
from tests.e2e.scripted_upstream import ScriptedUpstream, peak_overlap
from tests.e2e.support import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

CLIENTS = 40
LEASE_S = 30
WINDOW_S = 61  # sixty one-second buckets and the one that has begun


def split(replies: list[RawReply]) -> tuple[int, list[RawReply]]:
    """How many were served, and the refusals."""
    refused = [reply for reply in replies if reply.status != 200]
    assert {reply.status for reply in refused} <= {503}
    assert {reply.headers.get("x-moongate-degraded") for reply in replies} == {None}
    return len(replies) - len(refused), refused


def assert_told_to_return(refused: list[RawReply], began: tuple[float, float], asked: tuple[float, float]) -> None:
    """Each was told to return when the second in which the first was admitted has left the window, and no other time.

    `began`: between these moments the first was admitted; `asked`: between these the refused ones were.
    """
    for reply in refused:
        wait_s = int(reply.headers["retry-after-ms"]) / 1000
        assert int(reply.headers["retry-after"]) == ceil(wait_s)
        assert asked[0] + wait_s <= int(began[1]) + WINDOW_S + 0.001
        assert asked[1] + wait_s >= int(began[0]) + WINDOW_S


async def test_audit_10_rate_limits_scale_exactly_100_requests_a_minute_reach_the_upstream(
    fleet: Fleet, fleet_upstream: ScriptedUpstream
) -> None:
    began_s = time.time()
    first = await fleet.spread("minute", 3 * RPM, connections=CLIENTS // 4)
    first_s = time.time()

    served, refused = split(first)
    assert served == len(fleet_upstream.lane("minute").requests) == RPM
    assert_told_to_return(refused, (began_s, first_s), (began_s, first_s))

    await eventually(lambda: int(time.time()) > int(first_s), within_s=2, what="another second begins")
    again_s = time.time()
    served, refused = split(await fleet.spread("minute", CLIENTS))
    assert (served, len(refused), len(fleet_upstream.lane("minute").requests)) == (0, CLIENTS, RPM)
    assert_told_to_return(refused, (began_s, first_s), (again_s, time.time()))


async def test_limit_of_parallel_requests_holds_over_all_gateways_and_is_used_up(
    fleet: Fleet, fleet_upstream: ScriptedUpstream, fleet_state: FleetState
) -> None:
    lane = fleet_upstream.lane("slots")
    lane.default = Behaviour(delay_s=0.15)

    async with load_on(fleet, "slots", CLIENTS, pause_s=0.05) as load:
        await eventually(lambda: len(lane.requests) >= 10 * MAX_PARALLEL, within_s=15, what="ten times all slots")

    served, refused = split(load.replies)
    assert peak_overlap(lane.requests) == MAX_PARALLEL
    assert served == len(lane.requests)
    assert {reply.headers["retry-after"] for reply in refused} == {"1"}
    await eventually(lambda: not fleet_state.leases("slots"), within_s=5, what="every slot came back")


async def test_stream_holds_its_slot_to_its_end_and_all_slots_come_back(
    fleet: Fleet, fleet_upstream: ScriptedUpstream, fleet_state: FleetState
) -> None:
    lane = fleet_upstream.lane("streams")
    lane.default = Behaviour(chunks=10, chunk_delay_s=0.05)

    for _ in range(2):
        replies = await asyncio.gather(*(fleet.chat("streams", stream=True) for _ in range(CLIENTS)))

        assert split(list(replies))[0] == MAX_PARALLEL
        await eventually(lambda: not fleet_state.leases("streams"), within_s=5, what="every slot came back")
    assert peak_overlap(lane.requests) == MAX_PARALLEL
    assert len(lane.requests) == 2 * MAX_PARALLEL


async def test_slots_of_a_killed_gateway_are_bound_to_come_back_within_30_s(
    fleet: Fleet, fleet_upstream: ScriptedUpstream, fleet_state: FleetState
) -> None:
    lane = fleet_upstream.lane("lost")
    lane.default = ending(Ending.HANG)
    await fleet.start()
    holders = [asyncio.create_task(fleet.gateways[-1].chat("lost")) for _ in range(MAX_PARALLEL)]
    await eventually(lambda: len(lane.requests) == MAX_PARALLEL, within_s=5, what="it holds every slot")

    fleet.kill(-1)
    killed_s = time.time()
    await asyncio.gather(*holders, return_exceptions=True)

    # Redis judges a lease by the time that stands here; who could extend it is dead. The long form waits for it.
    expire_s = fleet_state.leases("lost").values()
    assert len(expire_s) == MAX_PARALLEL
    assert all(killed_s < expires_s <= killed_s + LEASE_S for expires_s in expire_s)
    assert split(await fleet.spread("lost", 8))[0] == 0
