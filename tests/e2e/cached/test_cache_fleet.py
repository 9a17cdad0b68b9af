"""Four gateways that share a cache: who asks the same at once is answered by one call upstream."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack

import pytest

from tests.e2e.behaviour import Behaviour
from tests.e2e.cache_clients import Watching, ask, text_of
from tests.e2e.fleet import Fleet
from tests.e2e.openai_wire import whole_text
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

CLIENTS = 100
SLOW = Behaviour(chunks=25, chunk_delay_s=0.1)
LEFT = Behaviour(chunks=18, chunk_delay_s=0.1)


async def test_audit_5_1_a_hundred_equal_requests_at_once_make_one_call_upstream(
    cache_fleet: Fleet, fleet_upstream: ScriptedUpstream
) -> None:
    lane = fleet_upstream.lane("herd")
    lane.default, lane.numbered = Behaviour(delay_s=0.5), True
    await cache_fleet.at_least(4)

    replies = await asyncio.gather(*(ask(cache_fleet.next(), "herd") for _ in range(CLIENTS)))

    assert {(reply.status, reply.complete, text_of(reply)) for reply in replies} == {
        (200, True, whole_text("herd", Behaviour(mark="#1:")))
    }
    assert Counter(reply.headers["x-cache"] for reply in replies) == {"MISS": 1, "HIT": CLIENTS - 1}
    assert len(lane.requests) == 1


async def test_a_hundred_equal_streams_at_once_come_live_from_one_call_upstream(
    cache_fleet: Fleet, fleet_upstream: ScriptedUpstream
) -> None:
    lane = fleet_upstream.lane("flow")
    lane.default, lane.numbered = SLOW, True
    await cache_fleet.at_least(4)

    async with AsyncExitStack() as clients:
        watching = [await clients.enter_async_context(Watching(cache_fleet.next(), "flow")) for _ in range(CLIENTS)]
        seen = await asyncio.gather(*(each.ended() for each in watching))

    assert {(each.status, each.whole, each.text) for each in seen} == {
        (200, True, whole_text("flow", Behaviour(chunks=25, mark="#1:")))
    }
    assert Counter(each.headers["x-cache"] for each in seen) == {"MISS": 1, "HIT": CLIENTS - 1}
    (call,) = lane.requests
    assert call.ended_s is not None
    # It takes 2.5 s to come, and whoever had to wait for its end would see content only then.
    assert max(each.first_s or call.ended_s for each in seen) < call.ended_s - 1


async def test_followers_get_everything_when_the_client_that_came_first_leaves(
    cache_fleet: Fleet, fleet_upstream: ScriptedUpstream
) -> None:
    lane, (here, there, *_) = fleet_upstream.lane("left"), await cache_fleet.at_least(2)
    lane.default, lane.numbered = LEFT, True

    async with Watching(here, "left") as first:
        await first.has_content()
        async with Watching(here, "left") as beside, Watching(there, "left") as far:
            await asyncio.gather(beside.has_content(), far.has_content())
            await first.leave()
            seen = await asyncio.gather(beside.ended(), far.ended())

    assert [(each.whole, each.text) for each in seen] == [
        (True, whole_text("left", Behaviour(chunks=18, mark="#1:")))
    ] * 2
    assert not first.seen.is_done
    assert [call.client_left for call in lane.requests] == [False]


async def test_a_follower_elsewhere_gets_everything_when_all_clients_of_the_leading_gateway_leave(
    cache_fleet: Fleet, fleet_upstream: ScriptedUpstream
) -> None:
    lane, (here, there, *_) = fleet_upstream.lane("deserted"), await cache_fleet.at_least(2)
    lane.default, lane.numbered = LEFT, True

    async with Watching(here, "deserted") as first, Watching(here, "deserted") as beside:
        await asyncio.gather(first.has_content(), beside.has_content())
        async with Watching(there, "deserted") as far:
            await far.has_content()
            await asyncio.gather(first.leave(), beside.leave())
            seen = await far.ended()

    assert seen.whole
    assert seen.text == whole_text("deserted", Behaviour(chunks=18, mark="#1:"))
    assert [call.client_left for call in lane.requests] == [False]


async def test_the_call_ends_when_its_last_client_leaves_and_the_next_client_starts_anew(
    cache_fleet: Fleet, fleet_upstream: ScriptedUpstream
) -> None:
    lane, (here, there, *_) = fleet_upstream.lane("empty"), await cache_fleet.at_least(2)
    lane.default, lane.numbered = Behaviour(chunks=200, chunk_delay_s=0.1), True

    async with Watching(here, "empty") as first, Watching(here, "empty") as beside:
        await asyncio.gather(first.has_content(), beside.has_content())
        await first.leave()
        await beside.leave()
        (call,) = lane.requests
        await eventually(lambda: call.client_left, within_s=1, what="the call upstream ends")

    lane.default = Behaviour()
    again = await ask(there, "empty")
    assert (again.status, text_of(again)) == (200, whole_text("empty", Behaviour(mark="#2:")))
    assert again.headers["x-cache"] == "MISS"
