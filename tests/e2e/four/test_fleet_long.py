"""What takes minutes of real time to be shown of four gateways: `make test-long`."""

import asyncio
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

import pytest

from tests.e2e import raw_http
from tests.e2e.behaviour import OK, Ending, ending
from tests.e2e.fleet import Fleet
from tests.e2e.fleet_load import load_on
from tests.e2e.fleet_models import MAX_PARALLEL, RPM
from tests.e2e.four.test_fleet_weights import picks, uneven
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually, until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.long]

MINUTE_S = 60.0
LEASE_S = 30.0
LOOK_S = 1.0  # what a client may notice later than it happened


def most_in_a_minute(moments_s: Sequence[float]) -> int:
    """The largest number of moments in any 60 s."""
    ordered = sorted(moments_s)
    return max(
        place + 1 - bisect_left(ordered, moment_s - MINUTE_S, key=float) for place, moment_s in enumerate(ordered)
    )


async def test_audit_10_issue_1_7000_requests_over_four_gateways_split_5_to_1_to_1(fleet: Fleet) -> None:
    replies = await uneven(fleet, "throng", 7000)

    assert Counter(picks(replies)) == {"throng-0": 5000, "throng-1": 1000, "throng-2": 1000}


async def test_audit_10_no_sixty_seconds_see_more_than_100_requests_and_none_that_fits_is_refused(
    fleet: Fleet, fleet_upstream: ScriptedUpstream
) -> None:
    lane = fleet_upstream.lane("window")
    began_s = time.monotonic()
    await fleet.spread("window", RPM // 2)
    await until(began_s + MINUTE_S / 2)

    # Half a minute apart, so that no minute of the clock can be mistaken for a window that slides.
    async with load_on(fleet, "window", 8, pause_s=0.1):
        await until(began_s + 1.5 * MINUTE_S + 5)

    arrived_s = [request.began_s - began_s for request in lane.requests]
    assert most_in_a_minute(arrived_s) == RPM
    assert len(arrived_s) == 2 * RPM
    fresh_s = arrived_s[RPM]
    assert MINUTE_S < fresh_s < MINUTE_S + 2 + LOOK_S


async def test_slots_are_held_as_long_as_requests_run_and_freed_within_30_s_of_a_kill(
    fleet: Fleet, fleet_upstream: ScriptedUpstream
) -> None:
    lane = fleet_upstream.lane("held")
    lane.default = ending(Ending.HANG)
    await fleet.start()
    holder = fleet.gateways[-1]
    request = holder.post("/v1/chat/completions", raw_http.chat("held"))
    running = [
        asyncio.create_task(raw_http.exchange(holder.port, request, within_s=3 * MINUTE_S)) for _ in range(MAX_PARALLEL)
    ]
    await eventually(lambda: len(lane.requests) == MAX_PARALLEL, within_s=5, what="it holds every slot")
    held_s = time.monotonic()
    lane.default = OK

    async def some_slot_is_free() -> bool:
        return (await fleet.gateways[0].chat("held")).status == 200

    while time.monotonic() < held_s + LEASE_S + 5:
        assert not await some_slot_is_free()
        await until(time.monotonic() + LOOK_S / 2)
    fleet.kill(-1)
    killed_s = time.monotonic()
    await eventually(some_slot_is_free, within_s=LEASE_S + LOOK_S, what="the first slot is back")
    await asyncio.gather(*running, return_exceptions=True)

    # They were taken within a moment of each other, so they come back within one.
    await until(killed_s + LEASE_S)
    lane.default = ending(Ending.HANG)
    before = len(lane.requests)
    again = [asyncio.create_task(fleet.chat("held")) for _ in range(2 * MAX_PARALLEL)]
    await eventually(
        lambda: len(lane.requests) == before + MAX_PARALLEL and sum(task.done() for task in again) == MAX_PARALLEL,
        within_s=5,
        what="all slots are used again",
    )
    for task in again:
        task.cancel()
    await asyncio.gather(*again, return_exceptions=True)
