"""What happens to a flight while other gateways follow it."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from adapters.testing.scripted_provider import Act
from adapters.testing.virtual_time import VirtualClock, run_virtual
from application.caching.hold import HOLD_US
from application.errors import StateUnavailable, StreamBroken
from domain.durations import SECOND_US
from tests.unit.caching.fleet import SharedReplies, calls_of, content_of, drained, fleet_of

MS_US = SECOND_US // 1_000
SLOW = Act(delay_us=SECOND_US, text="slow")
SLOW_STREAM = Act(delay_us=SECOND_US, chunks=10, chunk_delay_us=SECOND_US // 2, text="s")
WHOLE_STREAM = "".join(f"s-{number}" for number in range(10))


@pytest.mark.parametrize("asked_again", [True, False])
@pytest.mark.parametrize("stays", [True, False])
def test_a_purge_breaks_no_stream_that_somebody_reads(*, asked_again: bool, stays: bool) -> None:
    async def scenario() -> None:
        shared = SharedReplies()
        one, two, three = fleet_of(3, SLOW_STREAM, shared)
        leader = asyncio.create_task(one.text())
        await one.clock.sleep(MS_US)
        follower = asyncio.create_task(two.text())
        await one.clock.sleep(3 * SECOND_US)
        if not stays:
            leader.cancel()
        await shared.cache.purge(None)
        texts = [await three.text()] if asked_again else []
        assert await follower == WHOLE_STREAM
        assert {*texts, WHOLE_STREAM} == {WHOLE_STREAM}
        assert calls_of([one, two, three]) == 1 + asked_again
        await asyncio.gather(leader, return_exceptions=True)
        for gateway in (one, two, three):
            await gateway.here.settle()
        assert (await shared.cache.stats()).entries == asked_again

    run_virtual(scenario())


def test_a_whole_reply_that_a_purge_keeps_from_being_stored_reaches_those_who_wait() -> None:
    async def scenario() -> None:
        shared = SharedReplies()
        one, two = fleet_of(2, SLOW, shared)
        asking = [asyncio.create_task(gateway.complete()) for gateway in (one, two)]
        await one.clock.sleep(SECOND_US // 2 + MS_US)
        await shared.cache.purge("team:T")
        assert {content_of(await each) for each in asking} == {"slow"}
        assert calls_of([one, two]) == 1
        await one.here.settle()
        assert (await shared.cache.stats()).entries == 0

    run_virtual(scenario())


def falters(shared: SharedReplies, side: str, from_us: int, until_us: int, *, at_least: int = 1) -> list[int]:
    """Makes the store answer too late from then until then, and `at_least` so many times; those times."""
    real, failed, clock = getattr(shared.flights, side), list[int](), VirtualClock()

    async def late(*words: Any, **more: Any) -> Any:
        now_us = clock.monotonic_us()
        if from_us <= now_us and (now_us < until_us or len(failed) < at_least):
            failed.append(now_us)
            raise StateUnavailable("late")
        return await real(*words, **more)

    setattr(shared.flights, side, late)
    return failed


@pytest.mark.parametrize(
    ("side", "from_us", "span_us"),
    [
        ("follow", 3 * SECOND_US, 0),
        ("follow", 3 * SECOND_US, HOLD_US - SECOND_US // 4),
        ("tell", 5_990 * MS_US, 0),
        ("tell", 5_990 * MS_US, SECOND_US // 2),
        ("tell", 3 * SECOND_US, SECOND_US),
    ],
)
def test_late_answers_of_the_store_break_no_stream(side: str, from_us: int, span_us: int) -> None:
    async def scenario() -> None:
        shared = SharedReplies()
        one, two = fleet_of(2, SLOW_STREAM, shared)
        leader = asyncio.create_task(one.text())
        await one.clock.sleep(MS_US)
        follower = asyncio.create_task(two.text())
        failed = falters(shared, side, from_us, from_us + span_us)
        assert await leader == WHOLE_STREAM
        assert await follower == WHOLE_STREAM
        assert failed

    run_virtual(scenario())


def test_late_answers_do_not_keep_a_whole_reply_that_is_not_stored_from_others() -> None:
    async def scenario() -> None:
        shared = SharedReplies(max_entry_bytes=10)
        one, two = fleet_of(2, SLOW, shared)
        failed = falters(shared, "tell", 900 * MS_US, SECOND_US + 100 * MS_US)
        asking = [asyncio.create_task(gateway.complete()) for gateway in (one, two)]
        assert {content_of(await each) for each in asking} == {"slow"}
        assert calls_of([one, two]) == 1
        assert failed

    run_virtual(scenario())


def test_one_late_answer_before_any_content_costs_no_call() -> None:
    async def scenario() -> None:
        shared = SharedReplies()
        one, two = fleet_of(2, Act(delay_us=10 * SECOND_US, text="slow"), shared)
        asking = [asyncio.create_task(gateway.complete()) for gateway in (one, two)]
        for second in range(1, 9):
            failed = falters(shared, "follow", second * SECOND_US, 0)
        assert {content_of(await each) for each in asking} == {"slow"}
        assert calls_of([one, two]) == 1
        assert failed

    run_virtual(scenario())


def test_a_store_that_is_away_breaks_a_stream_after_the_time_that_a_fill_outlives_its_gateway() -> None:
    async def scenario() -> None:
        shared = SharedReplies()
        one, two = fleet_of(2, SLOW_STREAM, shared)
        leader = asyncio.create_task(one.text())
        await one.clock.sleep(MS_US)
        follower = asyncio.create_task(two.text())
        falters(shared, "follow", 2 * SECOND_US, 60 * SECOND_US)
        with pytest.raises(StreamBroken):
            await follower
        assert HOLD_US <= one.clock.monotonic_us() - 2 * SECOND_US <= HOLD_US + SECOND_US // 5
        assert await leader == WHOLE_STREAM

    run_virtual(scenario())


def test_a_store_that_is_away_holds_nobody_up_who_has_had_no_content() -> None:
    async def scenario() -> None:
        shared = SharedReplies()
        one, two = fleet_of(2, Act(delay_us=20 * SECOND_US, text="slow"), shared)
        two.upstream().otherwise = Act(text="quick")
        leader = asyncio.create_task(one.complete())
        await one.clock.sleep(MS_US)
        follower = asyncio.create_task(two.complete())
        await one.clock.sleep(SECOND_US)
        falters(shared, "follow", 0, 60 * SECOND_US)

        async def away(*_: Any) -> Any:
            raise StateUnavailable("away")

        shared.cache.acquire_fill = away  # type: ignore[method-assign, assignment]
        assert content_of(await follower) == "quick"
        assert one.clock.monotonic_us() <= 1.5 * SECOND_US
        leader.cancel()

    run_virtual(scenario())


LONG = Act(chunks=300, chunk_delay_us=10 * MS_US, text="x" * 50)


def test_a_client_that_does_not_read_holds_up_nobody_at_another_gateway() -> None:
    async def scenario() -> None:
        one, two = fleet_of(2, LONG, SharedReplies(max_entry_bytes=3_000))
        leader = await one.stream()
        follower = asyncio.create_task(two.text())
        await one.clock.sleep(5 * SECOND_US)
        assert follower.done()
        assert len(await follower) > 300 * 50
        await leader.chunks.aclose()

    run_virtual(scenario())


def test_a_stream_waits_for_a_client_that_does_not_read_where_nobody_else_does() -> None:
    async def scenario() -> None:
        (one,) = fleet_of(1, LONG, SharedReplies(max_entry_bytes=3_000))
        leader = await one.stream()
        (flight,) = one.here._by_place.values()
        await one.clock.sleep(60 * SECOND_US)
        assert not flight.is_over
        assert len(await drained(leader)) > 300

    run_virtual(scenario())


def test_a_stream_that_waits_for_its_client_goes_on_when_another_gateway_follows_it_again() -> None:
    async def scenario() -> None:
        one, two, three = fleet_of(3, replace(LONG, chunks=3_000), SharedReplies(max_entry_bytes=3_000))
        leader = await one.stream()
        (flight,) = one.here._by_place.values()
        gone = asyncio.create_task(two.text())
        await one.clock.sleep(2 * SECOND_US)
        gone.cancel()
        await one.clock.sleep(30 * SECOND_US)
        assert not flight.is_over
        assert len(flight.batches) < 1_000
        async with asyncio.timeout(60):
            text = await three.text()
        assert len(text) > 3_000 * 50
        assert calls_of([one, two, three]) == 1
        await leader.chunks.aclose()

    run_virtual(scenario())
