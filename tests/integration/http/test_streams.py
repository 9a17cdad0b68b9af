"""Streams and disconnects, on a real server."""

import asyncio
import json
from typing import Any

import pytest

from adapters.inbound.http.app import GatewayApp
from adapters.inbound.http.receiving import BodyLimits
from application.errors import StreamBroken, UpstreamFailed
from domain.chat import Chunk
from domain.failure import Failure, FailureKind
from tests.integration.http.live_server import RawConnection, eventually, http_request, live_server, raw_connection
from tests.integration.http.stubs import ScriptedChunks, StubGateway, chunks, front_door, http_app

BROKEN = StreamBroken("the stream broke off", failure=Failure(FailureKind.BROKEN_REPLY, "cut"))


def ask(*, stream: bool, **fields: Any) -> bytes:
    document = {"model": "gpt-4", "messages": [{"role": "user", "content": "hi"}], "stream": stream, **fields}
    return http_request("/v1/chat/completions", json.dumps(document).encode(), "Connection: close")


async def answer_to(app: GatewayApp, request: bytes) -> tuple[bytes, bytes]:
    async with raw_connection(app) as connection:
        await connection.send(request)
        head, _, body = (await connection.rest()).partition(b"\r\n\r\n")
        return head, body


def unchunked(body: bytes) -> list[bytes]:
    """The writes, one an HTTP chunk; the last must be the terminator."""
    writes = []
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        writes.append(body[:length])
        body = body[length + 2 :]
    assert writes.pop() == b""
    return writes


async def test_stream_sends_each_batch_in_one_write_and_ends_with_done() -> None:
    script = ScriptedChunks([chunks('{"a":1}', '{"a":2}'), chunks('{"a":3}')])

    head, body = await answer_to(http_app(StubGateway(scripted=script)), ask(stream=True))

    assert unchunked(body) == [b'data: {"a":1}\n\ndata: {"a":2}\n\n', b'data: {"a":3}\n\n', b"data: [DONE]\n\n"]
    assert b"content-type: text/event-stream; charset=utf-8" in head
    assert b"cache-control: no-cache" in head
    assert b"x-accel-buffering: no" in head
    assert b"x-moongate-instance: gpt4-eu" in head
    assert b"x-moongate-attempts: 1" in head
    assert b"x-moongate-cost" not in head
    assert script.closed.is_set()


async def test_invisible_chunks_are_not_sent() -> None:
    script = ScriptedChunks([(Chunk(b"{}", visible=False),), (Chunk(b'{"a":1}'), Chunk(b"{}", visible=False))])

    _, body = await answer_to(http_app(StubGateway(scripted=script)), ask(stream=True))

    assert unchunked(body) == [b'data: {"a":1}\n\n', b"data: [DONE]\n\n"]


async def test_line_breaks_in_a_chunk_do_not_break_the_event() -> None:
    script = ScriptedChunks([chunks('{\r\n"a":\n1}')])

    _, body = await answer_to(http_app(StubGateway(scripted=script)), ask(stream=True))

    assert unchunked(body)[0] == b'data: {  "a": 1}\n\n'


async def test_broken_stream_ends_with_one_error_event_and_no_done() -> None:
    script = ScriptedChunks([chunks('{"a":1}'), BROKEN])

    _, body = await answer_to(http_app(StubGateway(scripted=script)), ask(stream=True))

    writes = unchunked(body)
    assert len(writes) == 2
    assert json.loads(writes[1].removeprefix(b"data: "))["error"]["code"] == "upstream_error"
    assert b"[DONE]" not in body
    assert script.closed.is_set()


async def test_defect_in_a_stream_ends_it_with_a_generic_error_event() -> None:
    script = ScriptedChunks([chunks('{"a":1}'), KeyError("sk-secret")])

    _, body = await answer_to(http_app(StubGateway(scripted=script)), ask(stream=True))

    assert json.loads(unchunked(body)[1].removeprefix(b"data: "))["error"]["code"] == "internal_error"
    assert b"sk-secret" not in body
    assert b"[DONE]" not in body


async def test_stream_that_fails_before_content_is_a_plain_error() -> None:
    error = UpstreamFailed("all failed", failure=Failure(FailureKind.SERVER_ERROR, "500"))

    head, body = await answer_to(http_app(StubGateway(error=error)), ask(stream=True))

    assert head.startswith(b"HTTP/1.1 502 ")
    assert json.loads(body)["error"]["code"] == "upstream_error"


@pytest.mark.parametrize(
    ("options", "wanted"), [({"include_usage": True}, True), ({"include_usage": False}, False), (None, False)]
)
async def test_usage_chunk_is_asked_for_by_stream_options(options: object, *, wanted: bool) -> None:
    gateway = StubGateway()

    await answer_to(http_app(gateway), ask(stream=True, stream_options=options))

    assert gateway.asked[0].llm.stream_usage is wanted


@pytest.mark.parametrize("stream", [True, False])
async def test_leaving_while_waiting_for_the_first_content_cancels_the_handler(*, stream: bool) -> None:
    gateway = StubGateway(hang=asyncio.Event())
    async with live_server(http_app(gateway)) as server:
        connection = await server.connect()
        await connection.send(ask(stream=stream))
        await soon(gateway.hang)
        await connection.close()

        await soon(gateway.cancelled)


async def test_leaving_in_mid_stream_closes_the_upstream() -> None:
    script = ScriptedChunks([chunks('{"a":1}'), asyncio.Event()])
    async with live_server(http_app(StubGateway(scripted=script))) as server:
        connection = await server.connect()
        await connection.send(ask(stream=True))
        await connection.until(b'{"a":1}')
        await connection.close()

        await soon(script.closed)


async def test_client_that_reads_no_more_loses_its_stream() -> None:
    endless = ScriptedChunks([chunks(json.dumps("x" * 100_000))] * 1_000)
    door = front_door(BodyLimits(stalled_reader_s=0.05))
    app = http_app(StubGateway(scripted=endless), door)
    async with live_server(app) as server:
        connection = await server.connect()
        await connection.send(ask(stream=True))

        await soon(endless.closed)

        assert endless.script
        await eventually(lambda: len(door.in_flight) == 0)
        await connection.close()


async def test_leaving_leaves_no_task_behind() -> None:
    gateway = StubGateway(hang=asyncio.Event())
    app = http_app(gateway)
    async with live_server(app) as server:
        first = await server.connect()
        await first.send(http_request("/health", b"", "Connection: close", method="GET"))
        await first.rest()
        await first.close()
        before = asyncio.all_tasks()
        connections: list[RawConnection] = [await server.connect() for _ in range(20)]
        for connection in connections:
            await connection.send(ask(stream=True))
        await eventually(lambda: len(gateway.asked) == len(connections))
        for connection in connections:
            await connection.close()
        await eventually(lambda: not asyncio.all_tasks() - before)

    assert len(app.front_door.in_flight) == 0


async def test_stream_is_closed_where_the_client_left_before_the_first_write() -> None:
    script = ScriptedChunks([chunks('{"a":1}')])
    app = http_app(StubGateway(scripted=script))

    async def refuse_to_send(_message: object) -> None:
        raise ConnectionResetError

    messages = [{"type": "http.request", "body": ask(stream=True).partition(b"\r\n\r\n")[2], "more_body": False}]

    async def receive() -> dict[str, object]:
        if not messages:
            await asyncio.Event().wait()
        return messages.pop()

    with pytest.raises(ConnectionResetError):
        await app(SCOPE, receive, refuse_to_send)  # type: ignore[arg-type]

    assert script.closed.is_set()


async def test_application_returns_quietly_when_the_client_has_left() -> None:
    gateway = StubGateway(hang=asyncio.Event())
    body = ask(stream=False).partition(b"\r\n\r\n")[2]
    messages: list[dict[str, object]] = [
        {"type": "http.disconnect"},
        {"type": "http.request", "body": body, "more_body": False},
    ]
    sent: list[object] = []

    async def receive() -> dict[str, object]:
        if len(messages) == 1:
            await soon(gateway.hang)
        return messages.pop()

    async def send(message: object) -> None:
        sent.append(message)

    await http_app(gateway)(SCOPE, receive, send)  # type: ignore[arg-type]

    assert gateway.cancelled.is_set()
    assert sent == []


async def test_cancelling_from_outside_is_not_taken_for_a_client_that_left() -> None:
    gateway = StubGateway(hang=asyncio.Event())
    body = ask(stream=False).partition(b"\r\n\r\n")[2]
    messages: list[dict[str, object]] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, object]:
        if not messages:
            await asyncio.Event().wait()
        return messages.pop()

    async def send(_message: object) -> None:
        raise AssertionError("nothing is sent")

    handling = asyncio.ensure_future(http_app(gateway)(SCOPE, receive, send))  # type: ignore[arg-type]
    await soon(gateway.hang)
    handling.cancel()

    with pytest.raises(asyncio.CancelledError):
        await handling


async def soon(event: asyncio.Event | None) -> None:
    assert event is not None
    async with asyncio.timeout(1.0):
        await event.wait()


SCOPE = {
    "type": "http",
    "http_version": "1.1",
    "method": "POST",
    "scheme": "http",
    "path": "/v1/chat/completions",
    "raw_path": b"/v1/chat/completions",
    "query_string": b"",
    "root_path": "",
    "headers": [(b"host", b"x"), (b"authorization", b"Bearer master-secret")],
    "client": ("127.0.0.1", 1),
    "server": ("127.0.0.1", 2),
    "extensions": {},
}
