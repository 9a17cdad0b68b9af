"""What a hostile or broken peer sends, byte by byte, to a real server."""

import asyncio
import json

import pytest

from adapters.inbound.http.receiving import BodyLimits
from tests.integration.http.live_server import RawConnection, http_request, live_server, raw_connection
from tests.integration.http.stubs import StubGateway, front_door, http_app

CHAT = "/v1/chat/completions"
BODY = b'{"model":"gpt-4","messages":[{"role":"user","content":"hi"}]}'
SMUGGLED = b"GET /v1/models HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer master-secret\r\n\r\n"


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def code_of(answer: bytes) -> str:
    code = json.loads(answer.split(b"\r\n\r\n", 1)[1])["error"]["code"]
    assert isinstance(code, str)
    return code


async def flood(connection: RawConnection) -> None:
    """Sends for ever."""
    while True:
        await connection.send(b"x" * 65_536)
        await asyncio.sleep(0)


async def one_answer(connection: RawConnection) -> bytes:
    head = await connection.until(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return head + await connection.exactly(int(length.split(b":")[1]))


async def test_content_length_with_transfer_encoding_is_refused_and_nothing_after_it_is_read() -> None:
    gateway = StubGateway()
    framed = http_request(CHAT, b"0\r\n\r\n" + SMUGGLED, "Content-Length: 5", "Transfer-Encoding: chunked")

    async with raw_connection(http_app(gateway)) as connection:
        await connection.send(framed)
        answer = await connection.rest()

    assert status_of(answer) == 400
    assert code_of(answer) == "invalid_request"
    assert answer.count(b"HTTP/1.1") == 1
    assert b"connection: close" in answer.lower()
    assert b"x-request-id" in answer
    assert gateway.asked == []


@pytest.mark.parametrize(
    "chunks",
    [b"zz\r\nhello\r\n0\r\n\r\n", b"5\r\nhelloXX0\r\n\r\n", b"-1\r\n\r\n"],
    ids=["size is no number", "no line end after a chunk", "negative size"],
)
async def test_malformed_chunks_are_refused_and_nothing_after_them_is_read(chunks: bytes) -> None:
    gateway = StubGateway()

    async with raw_connection(http_app(gateway)) as connection:
        await connection.send(http_request(CHAT, chunks + SMUGGLED, "Transfer-Encoding: chunked"))
        answer = await connection.rest()

    assert status_of(answer) == 400
    assert answer.count(b"HTTP/1.1") == 1
    assert gateway.asked == []


async def test_well_formed_chunks_are_one_body() -> None:
    gateway = StubGateway()
    chunked = b"%x\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (10, BODY[:10], len(BODY) - 10, BODY[10:])

    async with raw_connection(http_app(gateway)) as connection:
        await connection.send(http_request(CHAT, chunked, "Transfer-Encoding: chunked"))
        answer = await one_answer(connection)

    assert status_of(answer) == 200
    assert [request.llm.body for request in gateway.asked] == [BODY]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["Content-Length: 5", "Content-Length: 6"], 400),
        (["Content-Length: 5, 6"], 400),
        (["Content-Length: -5"], 400),
        (["Content-Length: +5"], 400),
        (["Content-Length: 0x5"], 400),
        (["Content-Length: 5", "Transfer-Encoding: identity"], 501),
        (["Transfer-Encoding: gzip, chunked"], 501),
        (["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], 501),
        (["Content-Length : 5"], 400),
        (["X-Bad: a\x00b"], 400),
        (["X-Bad: a\rb"], 400),
        (["Bad Name: x"], 400),
    ],
)
async def test_header_that_can_be_read_in_two_ways_is_refused(lines: list[str], expected: int) -> None:
    async with raw_connection(http_app()) as connection:
        await connection.send(http_request(CHAT, b"hello" + SMUGGLED, *lines))
        answer = await connection.rest()

    assert status_of(answer) == expected
    assert answer.count(b"HTTP/1.1") == 1


async def test_a_folded_header_line_is_one_value_and_no_header_of_its_own() -> None:
    gateway = StubGateway()
    folded = "X-Moongate-Tags: eu,\r\n Content-Length: 3"

    async with raw_connection(http_app(gateway)) as connection:
        await connection.send(http_request(CHAT, BODY, folded, f"Content-Length: {len(BODY)}"))
        answer = await one_answer(connection)

    assert status_of(answer) == 200
    assert gateway.asked[0].tags == {"eu", "Content-Length: 3"}


async def test_bare_line_feeds_frame_one_request_only() -> None:
    gateway = StubGateway()
    bare = http_request(CHAT, BODY).replace(b"\r\n", b"\n")

    async with raw_connection(http_app(gateway)) as connection:
        await connection.send(bare)
        answer = await one_answer(connection)

    assert status_of(answer) == 200
    assert [request.llm.body for request in gateway.asked] == [BODY]


async def test_headers_above_16_kib_are_refused_and_the_connection_closes() -> None:
    async with raw_connection(http_app()) as connection:
        await connection.send(b"GET /health HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 17_000)
        answer = await connection.rest()

    assert status_of(answer) == 431


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
        await connection.send(http_request(CHAT, b"", "Content-Length: 99999999"))
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


async def test_two_requests_in_one_packet_get_two_answers_in_order() -> None:
    async with raw_connection(http_app()) as connection:
        await connection.send(http_request("/health", method="GET") + http_request(CHAT, BODY))
        first, second = await one_answer(connection), await one_answer(connection)

    assert b'"status": "ok"' in first
    assert b"chatcmpl-1" in second


@pytest.mark.parametrize(
    "target", ["?x", "*", "//v1//models", "http://evil/v1/models", "/v1/../health", "/%00", "/%ff"]
)
async def test_odd_target_gets_an_answer_in_the_error_shape(target: str) -> None:
    async with raw_connection(http_app()) as connection:
        await connection.send(http_request(target, method="GET"))
        answer = await one_answer(connection)

    assert status_of(answer) in {200, 404}
    assert b"location" not in answer.lower()


@pytest.mark.parametrize("host", ["x/health?", "x/health#", "health", ""])
async def test_host_header_opens_no_protected_path(host: str) -> None:
    async with raw_connection(http_app()) as connection:
        await connection.send(f"GET /v1/models HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        answer = await one_answer(connection)

    assert status_of(answer) == 401


@pytest.mark.parametrize(
    "target", ["/%68ealth", "//health", "/health/", "/health/../v1/models", "http://x/health", "?"]
)
async def test_path_that_only_resembles_an_open_one_wants_a_key(target: str) -> None:
    async with raw_connection(http_app()) as connection:
        await connection.send(f"GET {target} HTTP/1.1\r\nHost: gateway\r\n\r\n".encode())
        answer = await one_answer(connection)

    assert status_of(answer) == 401


async def test_websocket_upgrade_is_refused() -> None:
    upgrade = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: eA==", "Sec-WebSocket-Version: 13")
    async with raw_connection(http_app()) as connection:
        await connection.send(http_request("/v1/models", b"", *upgrade, "Content-Length: 0", method="GET"))
        answer = await connection.rest()

    assert status_of(answer) == 403


async def test_server_does_not_name_itself() -> None:
    async with raw_connection(http_app()) as connection:
        await connection.send(http_request("/health", method="GET"))
        answer = await one_answer(connection)

    assert b"server:" not in answer.lower()
    assert b"hypercorn" not in answer.lower()
