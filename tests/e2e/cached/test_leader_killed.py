"""kill -9 for the gateway that calls upstream on behalf of a whole fleet."""

import asyncio
import time
from contextlib import AsyncExitStack, suppress

import pytest

from tests.e2e.behaviour import AFTER_HEAD, Behaviour, Ending
from tests.e2e.cache_clients import Watching, ask, text_of, until_asked
from tests.e2e.fleet import Fleet
from tests.e2e.openai_wire import whole_text
from tests.e2e.scripted_upstream import Lane, ScriptedUpstream
from tests.e2e.support import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Each test kills one of the gateways that are left, and those after it need fewer.
CLIENTS = 8
HOLD_S = 2.0
SLACK_S = 2.0
REPLY = Behaviour(delay_s=0.4)


async def until_called(lane: Lane) -> None:
    await eventually(lambda: lane.requests, within_s=10, what="the call upstream")


async def test_whole_replies_come_from_one_more_call_when_the_leading_gateway_dies(
    cache_fleet: Fleet, fleet_upstream: ScriptedUpstream
) -> None:
    lane, (leader, *others) = fleet_upstream.lane("early"), await cache_fleet.at_least(4)
    lane.queue(Behaviour(delay_s=60))
    lane.default, lane.numbered = REPLY, True
    first = asyncio.create_task(ask(leader, "early"))
    await until_called(lane)
    asking = [asyncio.create_task(ask(gateway, "early")) for gateway in others for _ in range(CLIENTS)]
    await asyncio.gather(*(until_asked(gateway, CLIENTS) for gateway in others))
    assert len(lane.requests) == 1

    killed_s = time.monotonic()
    assert cache_fleet.kill(0) is leader
    replies = await asyncio.gather(*asking)

    assert {(reply.status, text_of(reply)) for reply in replies} == {(200, whole_text("early", Behaviour(mark="#2:")))}
    assert len(lane.requests) == 2
    assert time.monotonic() - killed_s < HOLD_S + REPLY.delay_s + SLACK_S
    with suppress(OSError, EOFError):
        assert (await first).status != 200


async def test_streams_come_from_one_more_call_when_the_leading_gateway_dies_before_its_first_content(
    cache_fleet: Fleet, fleet_upstream: ScriptedUpstream
) -> None:
    lane, (leader, *others) = fleet_upstream.lane("early-stream"), await cache_fleet.at_least(3)
    lane.queue(Behaviour(ends=Ending.HANG, after=AFTER_HEAD + 1))  # its role chunk is no content
    lane.default, lane.numbered = REPLY, True
    async with AsyncExitStack() as clients:
        await clients.enter_async_context(Watching(leader, "early-stream"))
        await until_called(lane)
        watching = [
            await clients.enter_async_context(Watching(gateway, "early-stream"))
            for gateway in others
            for _ in range(CLIENTS)
        ]
        await asyncio.gather(*(until_asked(gateway, CLIENTS) for gateway in others))
        assert len(lane.requests) == 1

        killed_s = time.monotonic()
        assert cache_fleet.kill(0) is leader
        seen = await asyncio.gather(*(each.ended() for each in watching))

    text = whole_text("early-stream", Behaviour(mark="#2:"))
    assert {(each.status, each.whole, each.text) for each in seen} == {(200, True, text)}
    assert len(lane.requests) == 2
    assert time.monotonic() - killed_s < HOLD_S + REPLY.delay_s + SLACK_S


async def test_streams_that_had_content_end_with_the_error_event_when_the_leading_gateway_dies(
    cache_fleet: Fleet, fleet_upstream: ScriptedUpstream
) -> None:
    lane, (leader, *others) = fleet_upstream.lane("midst"), await cache_fleet.at_least(2)
    lane.default, lane.numbered = Behaviour(chunks=100, chunk_delay_s=0.1), True
    async with AsyncExitStack() as clients:
        await clients.enter_async_context(Watching(leader, "midst"))
        await until_called(lane)
        watching = [
            await clients.enter_async_context(Watching(gateway, "midst")) for gateway in others for _ in range(CLIENTS)
        ]
        await asyncio.gather(*(each.has_content() for each in watching))

        assert cache_fleet.kill(0) is leader
        seen = await asyncio.gather(*(each.ended() for each in watching))

    text = whole_text("midst", Behaviour(chunks=100, mark="#1:"))
    assert {(each.status, len(each.errors), each.is_done) for each in seen} == {(200, 1, False)}
    assert {each.errors[0]["code"] for each in seen} == {"upstream_error"}
    assert all(text.startswith(each.text) and len(each.text) < len(text) for each in seen)
    assert len(lane.requests) == 1
    lane.default = Behaviour()
    again = await ask(others[0], "midst")
    assert (again.status, text_of(again)) == (200, whole_text("midst", Behaviour(mark="#2:")))
