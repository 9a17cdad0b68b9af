"""Whole replies that are not stored: those who wait at other gateways get them, too."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from adapters.testing.scripted_provider import Act, fails
from adapters.testing.virtual_time import run_virtual
from application.caching.whole_frames import LARGEST_TOLD_BYTES, pack_whole, unpack_whole
from domain.chat import Reply, Usage
from domain.durations import SECOND_US
from domain.failure import FailureKind
from domain.flights import NEWS_BYTES
from tests.unit.caching.fleet import CachingGateway, SharedReplies, calls_of, content_of, cut, fleet_of

SLOW = Act(delay_us=SECOND_US, text="slow")


async def asked_by_sixty(gateways: list[CachingGateway]) -> set[str]:
    answers = await asyncio.gather(*(gateways[number % len(gateways)].complete() for number in range(60)))
    return {content_of(each) for each in answers}


@pytest.mark.parametrize("size", [4, 6])
def test_a_whole_reply_that_was_cut_costs_one_call_over_all_gateways(size: int) -> None:
    async def scenario() -> None:
        gateways = fleet_of(size, SLOW)
        cut(gateways, lambda _: True)
        assert await asked_by_sixty(gateways) == {"cut"}
        assert calls_of(gateways) == 1
        assert gateways[0].clock.monotonic_us() < 1.5 * SECOND_US

    run_virtual(scenario())


@pytest.mark.parametrize("size_bytes", [1_000, NEWS_BYTES, 3 * NEWS_BYTES + 7])
def test_a_reply_too_large_to_be_stored_costs_one_call_over_all_gateways(size_bytes: int) -> None:
    async def scenario() -> None:
        text = "é" * (size_bytes // 2)
        shared = SharedReplies(max_entry_bytes=500)
        gateways = fleet_of(4, replace(SLOW, text=text), shared)
        assert await asked_by_sixty(gateways) == {text}
        assert calls_of(gateways) == 1
        assert (await shared.cache.stats()).entries == 0

    run_virtual(scenario())


def test_a_reply_far_too_large_to_be_stored_is_told_to_nobody_elsewhere() -> None:
    async def scenario() -> None:
        gateways = fleet_of(2, replace(SLOW, text="x" * LARGEST_TOLD_BYTES), SharedReplies(max_entry_bytes=1_000))
        assert len(await asked_by_sixty(gateways)) == 1
        assert calls_of(gateways) == 2

    run_virtual(scenario())


def test_a_fallbacks_reply_costs_one_round_of_calls_over_all_gateways() -> None:
    async def scenario() -> None:
        gateways = fleet_of(4, SLOW)
        for gateway in gateways:
            for name in ("a", "b"):
                gateway.upstream(name).otherwise = fails(FailureKind.SERVER_ERROR, status=500)
        assert await asked_by_sixty(gateways) == {"slow"}
        assert sum(len(gateway.upstream("w").calls) for gateway in gateways) == 1

    run_virtual(scenario())


def test_a_stream_of_a_reply_that_is_not_stored_is_made_of_the_whole() -> None:
    async def scenario() -> None:
        gateways = fleet_of(2, SLOW, SharedReplies(max_entry_bytes=10))
        leader = asyncio.create_task(gateways[0].complete())
        await gateways[0].clock.sleep(1_000)
        assert await gateways[1].text() == "slow"
        await leader
        assert calls_of(gateways) == 1

    run_virtual(scenario())


def test_a_reply_that_is_not_stored_is_told_to_nobody_where_nobody_waits() -> None:
    async def scenario() -> None:
        shared = SharedReplies(max_entry_bytes=10)
        (gateway,) = fleet_of(1, Act(), shared)
        told: list[int] = []
        tell = shared.flights.tell

        async def noted(*words: Any, **more: Any) -> Any:
            told.append(len(words[2]))
            return await tell(*words, **more)

        shared.flights.tell = noted  # type: ignore[method-assign]
        await gateway.complete()
        await gateway.here.settle()
        assert told == [0]

    run_virtual(scenario())


@pytest.mark.parametrize("usage", [None, Usage(1, 2, 3, estimated=True)])
@pytest.mark.parametrize("size_bytes", [0, 1, NEWS_BYTES, 2 * NEWS_BYTES])
def test_a_whole_reply_comes_out_of_its_frames(usage: Usage | None, size_bytes: int) -> None:
    reply = Reply(json.dumps("x" * size_bytes).encode(), usage)
    frames = pack_whole(reply)
    assert max(map(len, frames)) <= NEWS_BYTES + 1
    assert unpack_whole(frames) == reply


@pytest.mark.parametrize("frames", [[], [b"\x80"], [b"\x80\0\0\0\5{}"]])
def test_frames_that_are_no_reply_are_refused(frames: list[bytes]) -> None:
    with pytest.raises(ValueError, match="whole reply"):
        unpack_whole(frames)
