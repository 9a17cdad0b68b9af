import asyncio
import socket
import ssl
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from adapters.outbound.providers import transport as transport_module
from adapters.outbound.providers.openai_compatible import OpenAICompatibleProvider
from adapters.outbound.providers.openai_config import OpenAICompatibleConfig
from adapters.outbound.providers.transport import AiohttpUpstream, HostNotFound, NoAnswer
from application.ports.provider import Call
from domain.failure import Failure, FailureKind, ProviderFailed
from tests.integration.providers.calls import call
from tests.integration.providers.loopback import STREAM_HEAD, Connection, Script, loopback, reply
from tests.integration.providers.scripted import CHAT, acquired, opened, serve

CERTIFICATE = Path(__file__).with_name("loopback.pem")
CONNECT, BROKEN = FailureKind.CONNECT, FailureKind.BROKEN_REPLY


async def hang_up(connection: Connection) -> None:
    await connection.read_request()


async def reset(connection: Connection) -> None:
    await connection.read_request()
    connection.reset()


async def cut_body(connection: Connection) -> None:
    await connection.read_request()
    await connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{")


async def cut_chunks(connection: Connection) -> None:
    await connection.read_request()
    await connection.send(STREAM_HEAD + b"1\r\n{\r\n")


async def talk_nonsense(connection: Connection) -> None:
    await connection.read_request()
    await connection.send(b"220 mail.example ESMTP\r\n\r\n")


async def send_huge_head(connection: Connection) -> None:
    await connection.read_request()
    await connection.send(b"HTTP/1.1 200 OK\r\nx: " + b"x" * 100_000 + b"\r\n\r\n")


async def send_false_gzip(connection: Connection) -> None:
    await connection.read_request()
    await connection.send(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc")


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (hang_up, CONNECT),
        (reset, CONNECT),
        (cut_body, BROKEN),
        (cut_chunks, BROKEN),
        (talk_nonsense, BROKEN),
        (send_huge_head, BROKEN),
        (send_false_gzip, BROKEN),
    ],
)
async def test_what_breaks_after_the_request_was_sent_may_be_billed(script: Script, kind: FailureKind) -> None:
    async with opened(script) as (provider, server, transport):
        with pytest.raises(ProviderFailed) as failed:
            await provider.complete(call())
        assert (failed.value.failure.kind, failed.value.failure.ambiguous) == (kind, True)
        assert str(server.port) not in failed.value.failure.message
        await server.quiet.wait()
        assert acquired(transport) == 0
        assert len(server.connections) == 1


async def reset_when_used_again(connection: Connection) -> None:
    await connection.read_request()
    await connection.send(reply(CHAT))
    await connection.read_request()
    connection.reset()


async def test_kept_connections_that_died_cost_no_attempt() -> None:
    async with opened(reset_when_used_again) as (provider, server, transport):
        await asyncio.gather(*(provider.complete(call()) for _ in range(5)))
        replies = await asyncio.gather(*(provider.complete(call()) for _ in range(5)))
        assert [reply.body for reply in replies] == [CHAT.replace(b'"m"', b'"mine"')] * 5
        assert len(server.connections) == 10
        assert acquired(transport) == 0
        await transport.aclose()
        await server.quiet.wait()


async def test_a_large_request_that_met_a_dead_connection_goes_out_whole() -> None:
    body = b'{"model":"mine","pad":"' + b"x" * (2 << 20) + b'"}'
    async with opened(reset_when_used_again) as (provider, server, _):
        await provider.complete(call())
        await provider.complete(call(body=body))
        assert server.connections[1].body == body.replace(b"mine", b"gpt-4o")


async def test_a_server_that_dies_over_a_request_is_not_asked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "_STALE_WITHIN_S", -1.0)
    async with opened(reset_when_used_again) as (provider, server, _):
        await provider.complete(call())
        with pytest.raises(ProviderFailed) as failed:
            await provider.complete(call())
        assert (failed.value.failure.kind, failed.value.failure.ambiguous) == (CONNECT, True)
        assert len(server.connections) == 1


async def failure_at(base_url: str, connect_timeout_us: int = 3_000_000) -> Failure:
    transport = await AiohttpUpstream.open()
    provider = OpenAICompatibleProvider(OpenAICompatibleConfig("custom", base_url=base_url), transport)
    try:
        with pytest.raises(ProviderFailed) as failed:
            await provider.complete(_hurried(connect_timeout_us))
    finally:
        await transport.aclose()
    return failed.value.failure


def _hurried(connect_timeout_us: int) -> Call:
    return replace(call(), connect_timeout_us=connect_timeout_us)


def closed_port() -> int:
    with socket.socket() as unbound:
        unbound.bind(("127.0.0.1", 0))
        port: int = unbound.getsockname()[1]
    return port


async def test_a_refused_connection_is_a_failure_to_connect() -> None:
    assert await failure_at(f"http://127.0.0.1:{closed_port()}") == Failure(CONNECT, "no connection to the provider")


async def test_an_unknown_host_is_a_failure_to_connect() -> None:
    assert await failure_at("http://nowhere.invalid") == Failure(CONNECT, "the provider's host name does not resolve")


async def test_a_host_that_does_not_react_is_given_up_in_time() -> None:
    with socket.socket() as deaf, socket.socket() as first, socket.socket() as second:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for filler in (first, second):  # the backlog is full: further connections are left without an answer
            filler.setblocking(False)
            filler.connect_ex(deaf.getsockname())
        failure = await failure_at(f"http://127.0.0.1:{deaf.getsockname()[1]}", connect_timeout_us=50_000)
    assert failure == Failure(CONNECT, "no connection to the provider in time")


async def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    own.load_cert_chain(CERTIFICATE)
    async with loopback(serve, own) as server:
        failure = await failure_at(f"https://127.0.0.1:{server.port}")
        assert failure == Failure(CONNECT, "no trusted TLS connection to the provider")
        assert all(connection.body == b"" for connection in server.connections)


async def test_a_certificate_can_be_trusted_but_checking_cannot_be_turned_off() -> None:
    own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    own.load_cert_chain(CERTIFICATE)
    async with loopback(serve, own) as server:
        transport = await AiohttpUpstream.open(ssl.create_default_context(cafile=str(CERTIFICATE)))
        config = OpenAICompatibleConfig("custom", base_url=f"https://127.0.0.1:{server.port}")
        assert (await OpenAICompatibleProvider(config, transport).complete(call())).body == CHAT.replace(
            b'"m"', b'"mine"'
        )
        await transport.aclose()
    with pytest.raises(ValueError, match="verified"):
        await AiohttpUpstream.open(ssl=False)


async def test_a_server_that_speaks_no_tls_is_a_failure_to_connect() -> None:
    async with loopback(serve) as server:
        failure = await failure_at(f"https://127.0.0.1:{server.port}")
    assert failure.kind is CONNECT
    assert not failure.ambiguous


async def test_each_loss_has_its_own_error_of_httpx() -> None:
    async with opened(hang_up) as (_, server, transport):
        with pytest.raises(NoAnswer):
            await transport.handle_async_request(httpx.Request("POST", server.base_url, content=b"{}"))
        with pytest.raises(HostNotFound):
            await transport.handle_async_request(httpx.Request("POST", "http://nowhere.invalid"))
        with pytest.raises(httpx.UnsupportedProtocol):
            await transport.handle_async_request(httpx.Request("POST", "ftp://127.0.0.1/"))
