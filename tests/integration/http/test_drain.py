"""The end of a process: what flows finishes, what idles closes, what is new is refused."""

import asyncio
import json

import pytest

from adapters.inbound.http.drain import shutdown_trigger
from adapters.inbound.http.in_flight import InFlight
from adapters.inbound.http.server_config import hypercorn_config
from adapters.outbound.system.clock import SystemClock
from application.draining import Draining
from tests.integration.http.live_server import PATIENCE_S, http_request, live_server
from tests.integration.http.stubs import ScriptedChunks, StubGateway, chunks, http_app

STREAM = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True}).encode()


async def test_drain_finishes_the_stream_in_flight_closes_the_idle_and_refuses_the_new() -> None:
    gate = asyncio.Event()
    script = ScriptedChunks([chunks('{"a":1}'), gate, chunks('{"a":2}')])
    async with live_server(http_app(StubGateway(scripted=script)), graceful_timeout_s=60.0) as server:
        idle, flowing = await server.connect(), await server.connect()
        await idle.send(http_request("/health", method="GET"))
        await idle.until(b"}")
        await flowing.send(http_request("/v1/chat/completions", STREAM))
        await flowing.until(b'{"a":1}')

        server.stop.set()
        assert await idle.rest() == b""
        with pytest.raises(ConnectionRefusedError):
            await server.connect()
        assert server.draining.begun is True
        assert not server.done.done()
        gate.set()
        assert b"[DONE]" in await flowing.rest()

        # Far below the 60 s that the drain was allowed.
        async with asyncio.timeout(PATIENCE_S):
            await server.done
        await idle.close()
        await flowing.close()


async def test_drain_is_announced_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    in_flight, requested = InFlight(), asyncio.Event()
    waiting = asyncio.create_task(asyncio.Event().wait())
    in_flight.enter(waiting)
    requested.set()

    await shutdown_trigger(requested.wait, Draining(), in_flight, 120.0)()

    assert "draining: 1 requests in flight have 120 s to finish" in caplog.messages
    waiting.cancel()


async def test_drain_cuts_off_visibly_what_outlasts_it() -> None:
    script = ScriptedChunks([chunks('{"a":1}'), asyncio.Event()])
    async with live_server(http_app(StubGateway(scripted=script)), graceful_timeout_s=0.3) as server:
        flowing = await server.connect()
        await flowing.send(http_request("/v1/chat/completions", STREAM))
        await flowing.until(b'{"a":1}')

        server.stop.set()
        left = await flowing.rest()
        await flowing.close()

    assert b"[DONE]" not in left
    assert not left.endswith(b"0\r\n\r\n")
    assert script.closed.is_set()


async def test_drain_ends_requests_itself_where_the_server_would_wait_for_ever() -> None:
    in_flight, draining = InFlight(), Draining()
    requested = asyncio.Event()
    stuck = asyncio.create_task(asyncio.Event().wait())
    in_flight.enter(stuck)
    requested.set()

    await shutdown_trigger(requested.wait, draining, in_flight, 0.0)()

    await asyncio.wait({stuck}, timeout=PATIENCE_S)
    assert stuck.cancelled()


def test_server_is_configured_for_long_streams_and_small_headers() -> None:
    config = hypercorn_config("::1", 8080, 120.0, SystemClock())

    assert config.bind == ["[::1]:8080"]
    assert config.graceful_timeout == 120.0
    assert config.read_timeout is None
    assert config.h11_max_incomplete_size == 16 * 1024
    assert config.include_server_header is False
    assert config.accesslog is None


async def test_drain_answers_what_outlasts_it_unanswered_and_can_still_be_told() -> None:
    asked = asyncio.Event()
    app = http_app(StubGateway(hang=asked))
    async with live_server(app, graceful_timeout_s=60.0) as server:
        waiting = await server.connect()
        await waiting.send(http_request("/v1/chat/completions", STREAM))
        await asked.wait()

        server.stop.set()
        app.front_door.in_flight.cancel_all()
        answer = await waiting.rest()
        await waiting.close()

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503")
    assert b"retry-after: 1\r\n" in head
    assert b"x-request-id: " in head
    assert json.loads(body)["error"]["code"] == "shutting_down"
