import asyncio
import gzip
import random
import socket

import httpx
import pytest
from aiohttp.base_protocol import BaseProtocol

from adapters.outbound.providers.openai_compatible import OpenAICompatibleProvider
from adapters.outbound.providers.openai_config import OpenAICompatibleConfig
from domain.failure import ProviderFailed
from tests.integration.providers.calls import call, stream_call
from tests.integration.providers.loopback import STREAM_HEAD, Connection, reply
from tests.integration.providers.scripted import CHAT, acquired, opened, pooled, serve, settled
from tests.integration.providers.upstream import drain

EVENT = b'data: {"model":"m","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}\n\n'
STOP = b'data: {"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"


async def test_one_connection_carries_request_after_request() -> None:
    async with opened(serve) as (provider, server, transport):
        for _ in range(3):
            await provider.complete(call())
        assert len(server.connections) == 1
        assert acquired(transport) == 0


async def test_the_request_on_the_wire_is_the_clients_with_our_headers() -> None:
    async with opened(serve) as (provider, server, _):
        await provider.complete(call(body=b'{"model":"mine","x":1}'))
        [connection] = server.connections
    lines = connection.head.lower().split(b"\r\n")
    assert lines[0] == b"post /v1/chat/completions http/1.1"
    assert sorted(line.partition(b":")[0] for line in lines[1:-2]) == [
        b"accept",
        b"accept-encoding",
        b"authorization",
        b"content-length",
        b"content-type",
        b"host",
        b"user-agent",
        b"x-request-id",
    ]
    assert connection.body == b'{"model":"gpt-4o","x":1}'


async def test_a_large_request_goes_out_whole() -> None:
    async with opened(serve) as (provider, server, _):
        body = b'{"model":"mine","text":"' + b"x" * (3 << 20) + b'"}'
        await provider.complete(call(body=body))
        assert server.connections[0].body == body.replace(b'"mine"', b'"gpt-4o"')


async def test_compression_that_was_not_asked_for_is_taken_off_once() -> None:
    async def compress(connection: Connection) -> None:
        await connection.read_request()
        body = gzip.compress(CHAT)
        head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(body)
        await connection.send(head + body)

    async with opened(compress) as (_, server, transport):
        response = await transport.handle_async_request(httpx.Request("POST", server.base_url, content=b"{}"))
        assert await response.aread() == CHAT


async def test_cookies_are_not_kept() -> None:
    async def set_cookie(connection: Connection) -> None:
        await connection.read_request()
        await connection.send(reply(CHAT, content_type="application/json\r\nset-cookie: a=b"))
        await serve(connection)

    async with opened(set_cookie) as (_, server, transport):
        config = OpenAICompatibleConfig(
            "custom", base_url=f"http://localhost:{server.port}"
        )  # an address has no cookies
        provider = OpenAICompatibleProvider(config, transport)
        await provider.complete(call())
        await provider.complete(call())
        [connection] = server.connections
    assert b"cookie" not in connection.head.lower()


async def test_a_redirect_stays_unfollowed() -> None:
    async def redirect(connection: Connection) -> None:
        await connection.read_request()
        await connection.send(
            reply(b"", status="307 Temporary Redirect", content_type="text/plain\r\nlocation: /elsewhere")
        )
        await serve(connection)

    async with opened(redirect) as (provider, server, _):
        with pytest.raises(ProviderFailed) as failed:
            await provider.complete(call())
        assert failed.value.failure.status == 307
        assert b"elsewhere" not in server.connections[0].head


async def test_small_writes_do_not_wait() -> None:
    async with opened(serve) as (provider, _, transport):
        await provider.complete(call())
        connector = transport._session.connector
        assert connector is not None
        [(protocol, _)] = next(iter(connector._conns.values()))
        assert protocol.transport is not None
        raw = protocol.transport.get_extra_info("socket")
        assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_a_finished_streams_connection_is_used_again() -> None:
    drained = asyncio.Event()

    async def stream_with_a_late_end(connection: Connection) -> None:
        while True:
            await connection.read_request()
            await connection.send(STREAM_HEAD)
            await connection.send_chunk(EVENT + STOP + DONE)
            await drained.wait()  # the last bytes of the framing come when nobody is reading any more
            await connection.send(b"0\r\n\r\n")

    async with opened(stream_with_a_late_end) as (provider, server, transport):
        for _ in range(2):
            assert len(await drain(await provider.stream(stream_call()))) == 2
            assert acquired(transport) == 1
            drained.set()
            await settled(transport)
            drained.clear()
        assert len(server.connections) == 1


async def test_a_finished_stream_whose_framing_never_ends_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.outbound.providers.transport._LINGER_S", 0.01)

    async def stream_without_end(connection: Connection) -> None:
        await connection.read_request()
        await connection.send(STREAM_HEAD)
        await connection.send_chunk(EVENT + STOP + DONE)
        await connection.reader.read()

    async with opened(stream_without_end) as (provider, server, transport):
        stream = await provider.stream(stream_call())
        assert len(await drain(stream)) == 2
        await asyncio.wait_for(server.quiet.wait(), 5)
        assert acquired(transport) == 0


async def test_no_pool_makes_requests_wait_for_each_other() -> None:
    gate = asyncio.Event()

    async def serve_together(connection: Connection) -> None:
        await connection.read_request()
        await gate.wait()
        await connection.send(reply(CHAT))

    async with opened(serve_together) as (provider, server, _):
        asked = [asyncio.ensure_future(provider.complete(call())) for _ in range(120)]
        async with asyncio.timeout(20):
            while len(server.connections) < len(asked):  # noqa: ASYNC110 - the loop brings it about
                await asyncio.sleep(0)
            gate.set()
            await asyncio.gather(*asked)


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with opened(serve) as (provider, server, _):
        await provider.complete(call())
        assert len(server.connections) == 1


async def test_a_stream_left_early_closes_its_connection_at_once() -> None:
    async with opened(stream_forever) as (provider, server, transport):
        stream = await provider.stream(stream_call())
        await anext(stream)
        await stream.aclose()
        assert acquired(transport) == 0
        await asyncio.wait_for(server.quiet.wait(), 1)


async def test_a_cancelled_read_closes_its_connection_at_once() -> None:
    async with opened(stream_once_then_wait) as (provider, server, transport):
        stream = await provider.stream(stream_call())
        await anext(stream)
        reading = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert acquired(transport) == 0
        await asyncio.wait_for(server.quiet.wait(), 1)


async def test_cancelling_at_any_moment_leaks_no_connection() -> None:
    chance = random.Random(7)
    async with opened(stream_slowly) as (provider, server, transport):

        async def talk() -> None:
            if chance.random() < 0.5:
                await provider.complete(call())
            else:
                await drain(await provider.stream(stream_call()))

        async def interrupted(turns: int) -> bool:
            talking = asyncio.ensure_future(talk())
            for _ in range(turns):
                await asyncio.sleep(0)
            talking.cancel()
            [end] = await asyncio.gather(talking, return_exceptions=True)
            assert end is None or isinstance(end, asyncio.CancelledError)
            return end is not None

        cut = [await asyncio.gather(*(interrupted(chance.randrange(60)) for _ in range(10))) for _ in range(20)]
        assert 20 < sum(map(sum, cut)) < 180  # some were cancelled and some came through
        assert len(server.connections) > 20  # and many were cancelled with a connection in hand
        await settled(transport)
        async with asyncio.timeout(5):
            while server.open != pooled(transport):  # noqa: ASYNC110 - the loop brings it about, no event of ours
                await asyncio.sleep(0)


async def test_closing_the_transport_closes_every_connection() -> None:
    async with opened(stream_forever) as (provider, server, transport):
        stream = await provider.stream(stream_call())
        await anext(stream)
        await transport.aclose()
        await asyncio.wait_for(server.quiet.wait(), 1)
        await stream.aclose()


async def stream_forever(connection: Connection) -> None:
    await connection.read_request()
    await connection.send(STREAM_HEAD)
    while True:
        await connection.send_chunk(EVENT)
        await asyncio.sleep(0)


async def stream_once_then_wait(connection: Connection) -> None:
    await connection.read_request()
    await connection.send(STREAM_HEAD)
    await connection.send_chunk(EVENT)
    await connection.reader.read()


async def stream_slowly(connection: Connection) -> None:
    """Answers streams and whole requests alike, with turns of the loop in between."""
    while True:
        await connection.read_request()
        if b"text/event-stream" not in connection.head:
            await connection.send(reply(CHAT))
            continue
        await connection.send(STREAM_HEAD)
        for _ in range(5):
            await asyncio.sleep(0)
            await connection.send_chunk(EVENT)
        await connection.send_chunk(STOP + DONE)
        await connection.send(b"0\r\n\r\n")


async def test_a_slow_reader_holds_up_the_server_and_gets_everything() -> None:
    event = EVENT.replace(b'"a"', b'"' + b"a" * 65_536 + b'"')
    events, sent = 512, 0

    async def more_than_all_buffers_hold(connection: Connection) -> None:
        nonlocal sent
        await connection.read_request()
        await connection.send(STREAM_HEAD)
        for _ in range(events):
            await connection.send_chunk(event)
            sent += 1
        await connection.send_chunk(STOP + DONE)
        await connection.send(b"0\r\n\r\n")

    async with opened(more_than_all_buffers_hold) as (provider, _, _):
        stream = await provider.stream(stream_call())
        seen = -1
        while sent > seen:
            seen = sent
            await asyncio.sleep(0.05)
        assert 0 < sent < events
        assert len(await drain(stream)) == events + 1


async def test_a_reader_that_keeps_up_never_asks_its_connection_to_resume(monkeypatch: pytest.MonkeyPatch) -> None:
    resumed: list[object] = []
    monkeypatch.setattr(BaseProtocol, "resume_reading", lambda self, *_: resumed.append(self))

    async def many_pieces(connection: Connection) -> None:
        await connection.read_request()
        await connection.send(STREAM_HEAD)
        for _ in range(50):
            await connection.send_chunk(EVENT)
        await connection.send_chunk(STOP + DONE)
        await connection.send(b"0\r\n\r\n")

    async with opened(many_pieces) as (provider, _, _):
        assert len(await drain(await provider.stream(stream_call()))) == 51

    assert resumed == []
