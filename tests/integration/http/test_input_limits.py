"""Limits on size and time, on a real server: refused, readably, and the server goes on."""

import asyncio

import pytest

from adapters.inbound.http.receiving import BodyLimits
from tests.integration.http.live_server import (
    PATIENCE_S,
    RawConnection,
    code_of,
    http_request,
    live_server,
    one_answer,
    raw_connection,
    status_of,
)
from tests.integration.http.stubs import front_door, http_app

CHAT = "/v1/chat/completions"
BODY = b'{"model":"gpt-4","messages":[{"role":"user","content":"hi"}]}'


async def flood(connection: RawConnection) -> None:
    """Sends for as long as the peer takes it."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            await connection.send(b"x" * 65_536)
            await asyncio.sleep(0)


async def test_headers_above_16_kib_are_refused_and_the_connection_closes() -> None:
    async with raw_connection(http_app()) as connection:
        await connection.send(b"GET /health HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 17_000)
        answer = await connection.rest()

    assert status_of(answer) == 431
    assert code_of(answer) == "headers_too_large"
    assert b"x-request-id" in answer


async def test_headers_above_16_kib_that_arrive_at_once_are_refused_too() -> None:
    async with raw_connection(http_app()) as connection:
        await connection.send(http_request(CHAT, BODY, "X-Long: " + "a" * 17_000))
        answer = await connection.rest()

    assert status_of(answer) == 431
    assert code_of(answer) == "headers_too_large"


async def test_declared_body_above_the_limit_is_refused_at_once_and_the_refusal_can_be_read() -> None:
    door = front_door(BodyLimits(max_body_bytes=1_000))
    async with raw_connection(http_app(door=door)) as connection:
        await connection.send(http_request(CHAT, b"", "Content-Length: 3000"))
        answer = await one_answer(connection)
        await connection.send(b"x" * 3_000)
        left = await connection.rest()

    assert status_of(answer) == 413
    assert code_of(answer) == "request_too_large"
    assert b"connection: close" in answer.lower()
    assert left == b""


async def test_forty_megabytes_against_a_limit_of_32_mib_are_refused_and_the_server_lives() -> None:
    app = http_app()
    async with live_server(app) as server:
        connection = await server.connect()
        await connection.send(http_request(CHAT, b"", "Transfer-Encoding: chunked"))
        piece = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
        for _ in range(40):
            await connection.send(piece)
        await connection.send(b"0\r\n\r\n")
        answer = await connection.rest()
        await connection.close()
        second = await server.connect()
        await second.send(http_request("/health", method="GET"))
        health = await one_answer(second)
        await second.close()

    assert status_of(answer) == 413
    assert code_of(answer) == "request_too_large"
    assert status_of(health) == 200


async def test_body_without_end_is_cut_off_when_the_bound_on_discarding_is_reached() -> None:
    door = front_door(BodyLimits(max_body_bytes=1_000, discard_factor=2, discard_s=60.0))
    async with raw_connection(http_app(door=door)) as connection:
        await connection.send(http_request(CHAT, b"", f"Content-Length: {10**15}"))
        with pytest.raises(ConnectionError):
            await flood(connection)


async def test_body_that_dawdles_is_cut_with_408() -> None:
    door = front_door(BodyLimits(body_timeout_s=0.05, discard_s=0.05))
    async with raw_connection(http_app(door=door)) as connection:
        await connection.send(http_request(CHAT, b"{", "Content-Length: 100"))
        answer = await connection.rest()

    assert status_of(answer) == 408
    assert code_of(answer) == "request_timeout"
    assert b"connection: close" in answer.lower()


async def test_refused_credential_is_answered_before_the_body_arrives() -> None:
    door = front_door(BodyLimits(discard_s=0.05))
    request = http_request(CHAT, b"", "Content-Length: 100").replace(b"master-secret", b"wrong")
    async with raw_connection(http_app(door=door)) as connection:
        await connection.send(request)
        answer = await connection.rest()

    assert status_of(answer) == 401
    assert code_of(answer) == "invalid_api_key"


async def test_refusal_gets_through_to_a_client_that_floods_the_queue_between_server_and_application() -> None:
    request = http_request(CHAT, b"", "Transfer-Encoding: chunked").replace(b"master-secret", b"wrong")
    async with raw_connection(http_app()) as connection:
        await connection.send(request + b"1\r\nx\r\n" * 5_000 + b"0\r\n\r\n")
        answer = await connection.rest()

    assert status_of(answer) == 401
