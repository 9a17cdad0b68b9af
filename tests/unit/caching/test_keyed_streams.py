"""Streams that carry an Idempotency-Key: how long their key is in use, and what is kept of them."""

import asyncio
from typing import Any

import pytest

from adapters.testing.scripted_provider import Act
from adapters.testing.virtual_time import run_virtual
from application.errors import IdempotencyInUse
from domain.durations import SECOND_US
from tests.unit.caching.fleet import CachingGateway, SharedReplies, drained, said

MS_US = SECOND_US // 1_000
WARM: dict[str, Any] = {"messages": [{"role": "user", "content": "make something up"}]}
KEYED: dict[str, Any] = {"fields": WARM, "idempotency_key": "k-1"}


def pair(act: Act, shared: SharedReplies | None = None) -> tuple[CachingGateway, CachingGateway]:
    shared = shared or SharedReplies()
    one, two = CachingGateway(shared), CachingGateway(shared)
    for gateway in (one, two):
        for upstream in gateway.inner.upstreams.values():
            upstream.otherwise = act
    return one, two


def test_a_key_stays_in_use_while_a_stream_too_long_to_be_kept_runs() -> None:
    async def scenario() -> None:
        act = Act(chunks=300, chunk_delay_us=10 * MS_US, text="x" * 50)
        one, two = pair(act, SharedReplies(max_entry_bytes=1_000))
        reading = asyncio.create_task(drained(await one.stream(**KEYED)))
        await one.clock.sleep(2 * SECOND_US)
        assert not reading.done()
        with pytest.raises(IdempotencyInUse):
            await two.stream(**KEYED)
        await reading
        await one.idempotency.flights.settle()

        assert not (await two.stream(**KEYED)).trace.replayed
        assert (one.calls, two.calls) == (1, 1)

    run_virtual(scenario())


@pytest.mark.parametrize("chunks", [100, 6_000])
def test_a_keyed_stream_is_kept_where_its_reply_is_small_enough_whatever_its_framing(chunks: int) -> None:
    async def scenario() -> None:
        one, two = pair(Act(chunks=chunks, text="x"))
        first = await drained(await one.stream(**KEYED))
        await one.idempotency.flights.settle()
        again = await two.stream(**KEYED)

        assert len(said(first)) < 50_000
        assert await drained(again) == first
        assert (again.trace.replayed, two.calls) == (True, 0)
        assert again.trace.stored_us is not None
        assert (await one.idempotency.flights.cache.stats()).bytes < 100_000

    run_virtual(scenario())
