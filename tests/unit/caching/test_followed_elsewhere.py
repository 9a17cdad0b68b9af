"""What happens to a flight while other gateways follow it."""

import asyncio

import pytest

from adapters.testing.scripted_provider import Act
from adapters.testing.virtual_time import run_virtual
from domain.durations import SECOND_US
from tests.unit.caching.fleet import SharedReplies, calls_of, content_of, fleet_of

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
