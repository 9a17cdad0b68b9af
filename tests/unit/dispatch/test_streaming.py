import asyncio
import random

import pytest

from adapters.testing.scripted_provider import Act, fails
from adapters.testing.virtual_time import run_virtual
from application.errors import DeadlineExceeded, StreamBroken
from application.gateway_request import Streaming
from domain.catalog import Catalog, Instance, RouterPolicy
from domain.durations import SECOND_US
from domain.failure import Failure, FailureKind
from domain.latency import LatencyKind
from domain.pricing import Prices
from tests.unit.dispatch.gateway import Gateway, member, models

FIRST = LatencyKind.FIRST_CONTENT


def pair() -> tuple[Instance, Instance]:
    return member("gpt", "a", priority=2), member("gpt", "b", priority=1)


async def read(streaming: Streaming, received: list[bytes] | None = None) -> list[bytes]:
    received = [] if received is None else received
    async for batch in streaming.chunks:
        received.extend(chunk.data for chunk in batch)
    return received


def test_a_stream_that_fails_before_content_fails_over_invisibly() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(*pair())))
        gateway.upstream("a").otherwise = fails(FailureKind.SERVER_ERROR, status=500)

        streaming = await gateway.stream("gpt")
        chunks = await read(streaming)

        assert streaming.instance.id == "b"
        assert len(chunks) == 4
        assert [attempt.outcome for attempt in streaming.trace.attempts] == ["server_error", "success"]

    run_virtual(scenario())


def test_a_stream_that_breaks_after_content_never_moves_to_another_instance() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(*pair())))
        cut = Failure(FailureKind.BROKEN_REPLY, "cut", ambiguous=True)
        gateway.upstream("a").otherwise = Act(chunks=2, failure=cut)

        streaming = await gateway.stream("gpt")
        received: list[bytes] = []
        with pytest.raises(StreamBroken, match="cut"):
            await read(streaming, received)

        assert len(received) == 2
        assert gateway.calls() == {"a": 1}
        assert streaming.trace.outcome == "stream_broken"
        assert gateway.leases.held == 0

    run_virtual(scenario())


def test_a_stream_that_falls_silent_is_ended() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(*pair())), RouterPolicy(idle_timeout_us=5 * SECOND_US))
        gateway.upstream("a").otherwise = Act(chunks=5, chunk_delay_us=6 * SECOND_US)

        streaming = await gateway.stream("gpt")
        with pytest.raises(StreamBroken, match="silent"):
            await read(streaming)

        assert gateway.upstream("a").running == 0

    run_virtual(scenario())


def test_a_stream_that_shows_nothing_in_time_fails_over() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(*pair())), RouterPolicy(first_byte_timeout_us=2 * SECOND_US))
        gateway.upstream("a").otherwise = Act(hang=True)

        streaming = await gateway.stream("gpt")

        assert streaming.instance.id == "b"
        await streaming.chunks.aclose()

    run_virtual(scenario())


def test_a_flowing_stream_may_go_on_past_the_deadline() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(*pair())))
        gateway.upstream("a").otherwise = Act(chunks=10, chunk_delay_us=SECOND_US)

        chunks = await read(await gateway.stream("gpt", timeout_us=3 * SECOND_US))

        assert len(chunks) == 11

    run_virtual(scenario())


def test_a_stream_without_first_content_ends_with_the_deadline() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(*pair())))
        gateway.upstream("a").otherwise = gateway.upstream("b").otherwise = Act(hang=True)
        with pytest.raises(DeadlineExceeded):
            await gateway.stream("gpt", timeout_us=3 * SECOND_US)

    run_virtual(scenario())


def test_closing_a_stream_early_closes_upstream_and_gives_everything_back() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(*pair())))
        gateway.upstream("a").otherwise = Act(chunks=100, chunk_delay_us=SECOND_US)
        streaming = await gateway.stream("gpt")
        await anext(streaming.chunks)

        await streaming.chunks.aclose()

        assert gateway.upstream("a").running == 0
        assert gateway.leases.held == 0
        assert streaming.trace.outcome == "cancelled"

    run_virtual(scenario())


def test_the_latency_of_a_stream_is_that_of_its_first_content() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(*pair())))
        gateway.upstream("a").otherwise = Act(delay_us=SECOND_US // 2, chunks=10, chunk_delay_us=SECOND_US)

        streaming = await gateway.stream("gpt")
        early = gateway.routing.view(streaming.instance, FIRST).latency_us
        await read(streaming)

        assert early == SECOND_US // 2

    run_virtual(scenario())


def test_the_cost_of_a_stream_is_that_of_the_usage_it_reports() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(member("gpt", "a", own_prices=Prices(1_000_000, 2_000_000)))))

        streaming = await gateway.stream("gpt")
        await read(streaming)

        assert streaming.trace.cost_nano == 10 * 1 + 5 * 2

    run_virtual(scenario())


def test_a_thousand_random_cancels_leave_no_lease_no_upstream_call_and_no_task() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(*pair())))
        slow = Act(delay_us=SECOND_US, chunks=20, chunk_delay_us=SECOND_US // 10)
        gateway.upstream("a").otherwise = gateway.upstream("b").otherwise = slow
        chance = random.Random(7)

        async def one(stream: bool) -> None:
            if not stream:
                await gateway.complete("gpt")
                return
            streaming = await gateway.stream("gpt")
            try:
                await read(streaming)
            finally:
                await streaming.chunks.aclose()

        tasks = [asyncio.create_task(one(number % 2 == 0)) for number in range(1_000)]
        for task in tasks:
            asyncio.get_running_loop().call_later(chance.random() * 4, task.cancel)
        results = await asyncio.gather(*tasks, return_exceptions=True)

        assert sum(isinstance(result, asyncio.CancelledError) for result in results) > 500
        assert gateway.leases.held == 0
        assert [gateway.upstream(name).running for name in "ab"] == [0, 0]
        assert [gateway.routing.view(instance, FIRST).in_flight for instance in pair()] == [0, 0]
        assert len(asyncio.all_tasks()) == 1

    run_virtual(scenario())


def test_the_time_a_client_reads_before_it_leaves_is_not_the_latency_of_the_instance() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(*pair())))
        gateway.upstream("a").otherwise = Act(delay_us=SECOND_US // 2, chunks=100, chunk_delay_us=SECOND_US)
        streaming = await gateway.stream("gpt")
        for _ in range(20):
            await anext(streaming.chunks)

        await streaming.chunks.aclose()

        latency_us = gateway.routing.view(streaming.instance, FIRST).latency_us
        assert latency_us is not None
        assert latency_us <= SECOND_US // 2

    run_virtual(scenario())


def test_a_stream_that_breaks_late_is_penalised_for_breaking_not_for_its_length() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(*pair())))
        cut = Failure(FailureKind.BROKEN_REPLY, "cut", ambiguous=True)
        gateway.upstream("a").otherwise = Act(chunks=20, chunk_delay_us=SECOND_US, failure=cut)
        streaming = await gateway.stream("gpt")

        with pytest.raises(StreamBroken):
            await read(streaming)

        latency_us = gateway.routing.view(streaming.instance, FIRST).latency_us
        assert latency_us is not None
        assert SECOND_US // 2 <= latency_us <= 2 * SECOND_US

    run_virtual(scenario())
