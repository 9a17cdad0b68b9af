"""Endings of a stream that has shown its first content: each takes effect once, whatever comes between."""

import asyncio
from typing import Self

import pytest

from adapters.testing.scripted_provider import Act, ScriptedProvider, fails
from adapters.testing.virtual_time import run_virtual
from application.errors import StreamBroken
from application.ports.provider import Call, ChunkStream
from domain.catalog import Catalog, RouterPolicy
from domain.chat import Chunk
from domain.durations import SECOND_US
from domain.failure import FailureKind
from domain.identifiers import RequestId
from domain.latency import LatencyKind
from tests.unit.dispatch.gateway import Gateway, member, models

ONE = member("gpt", "a")


class SilentProvider(ScriptedProvider):
    """One chunk of content, then silence; and its streams take long to close."""

    def __init__(self) -> None:
        super().__init__()
        self.closing = asyncio.Event()

    async def stream(self, call: Call) -> ChunkStream:
        self.calls.append(call)
        return _SilentStream(self.closing)


class _SilentStream:
    def __init__(self, closing: asyncio.Event) -> None:
        self._closing = closing
        self._chunks = [Chunk(b"{}")]

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[Chunk, ...]:
        if not self._chunks:
            await asyncio.sleep(10**6)
        return (self._chunks.pop(),)

    async def aclose(self) -> None:
        self._closing.set()
        await asyncio.sleep(10)


def lone_gateway(act: Act, idle_s: int = 60) -> Gateway:
    gateway = Gateway(Catalog(models(ONE)), RouterPolicy(idle_timeout_us=idle_s * SECOND_US))
    gateway.upstream("a").otherwise = act
    return gateway


def test_a_silent_stream_is_a_failure_even_when_the_client_leaves_while_it_is_closed() -> None:
    async def scenario() -> None:
        gateway = lone_gateway(Act(), idle_s=2)
        silent = SilentProvider()
        gateway.upstreams[ONE.id] = silent
        streaming = await gateway.stream("gpt")
        await anext(streaming.chunks)

        async def read_on() -> None:
            await anext(streaming.chunks)

        reader = asyncio.create_task(read_on())
        await silent.closing.wait()
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader

        assert streaming.trace.attempts[0].outcome == "timeout"
        assert gateway.leases.held == 0

    run_virtual(scenario())


def test_reading_on_after_the_end_does_not_change_how_the_request_ended() -> None:
    async def scenario() -> None:
        gateway = lone_gateway(Act(chunks=3))
        streaming = await gateway.stream("gpt")
        await anext(streaming.chunks)
        await streaming.chunks.aclose()

        async for _ in streaming.chunks:
            pass

        assert streaming.trace.outcome == "cancelled"

    run_virtual(scenario())


def test_closing_a_stream_that_broke_leaves_it_broken() -> None:
    async def scenario() -> None:
        gateway = lone_gateway(Act(chunks=5, chunk_delay_us=9 * SECOND_US), idle_s=2)
        streaming = await gateway.stream("gpt")
        await anext(streaming.chunks)
        with pytest.raises(StreamBroken):
            await anext(streaming.chunks)

        await streaming.chunks.aclose()
        await streaming.chunks.aclose()

        assert streaming.trace.outcome == "stream_broken"
        assert gateway.routing.view(ONE, LatencyKind.FIRST_CONTENT).in_flight == 0

    run_virtual(scenario())


def test_a_request_cancelled_between_two_attempts_has_an_end_in_its_trace() -> None:
    async def scenario() -> None:
        gateway = lone_gateway(fails(FailureKind.SERVER_ERROR, status=503, retry_after_us=5 * SECOND_US))
        running = asyncio.ensure_future(gateway.complete("gpt"))
        await asyncio.sleep(2)

        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

        trace = gateway.decisions.kept(RequestId("request-1"))
        assert trace is not None
        assert (trace.outcome, len(trace.attempts)) == ("cancelled", 1)
        assert trace.finished_us is not None

    run_virtual(scenario())
