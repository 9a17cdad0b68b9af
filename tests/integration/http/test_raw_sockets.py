"""What a hostile or broken peer sends, byte by byte, to a real server."""

import pytest

from tests.integration.http.live_server import code_of, http_request, one_answer, raw_connection, status_of
from tests.integration.http.stubs import StubGateway, http_app

CHAT = "/v1/chat/completions"
BODY = b'{"model":"gpt-4","messages":[{"role":"user","content":"hi"}]}'
SMUGGLED = b"GET /v1/models HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer master-secret\r\n\r\n"


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
    assert code_of(answer) == "invalid_request"
    assert b"x-request-id" in answer
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
    "lines",
    [
        ["Content-Length: 5", "Content-Length: 6"],
        ["Content-Length: 5, 6"],
        ["Content-Length: -5"],
        ["Content-Length: +5"],
        ["Content-Length: 0x5"],
        ["Content-Length: 5", "Transfer-Encoding: identity"],
        ["Transfer-Encoding: gzip, chunked"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
        ["Content-Length : 5"],
        ["X-Bad: a\x00b"],
        ["X-Bad: a\rb"],
        ["Bad Name: x"],
    ],
)
async def test_header_that_can_be_read_in_two_ways_is_refused(lines: list[str]) -> None:
    async with raw_connection(http_app()) as connection:
        await connection.send(http_request(CHAT, b"hello" + SMUGGLED, *lines))
        answer = await connection.rest()

    assert status_of(answer) == 400
    assert code_of(answer) == "invalid_request"
    assert b"x-request-id" in answer
    assert answer.count(b"HTTP/1.1") == 1


async def test_a_folded_header_line_is_refused() -> None:
    gateway = StubGateway()
    folded = "X-Moongate-Tags: eu,\r\n Content-Length: 3"

    async with raw_connection(http_app(gateway)) as connection:
        await connection.send(http_request(CHAT, BODY, folded, f"Content-Length: {len(BODY)}"))
        answer = await connection.rest()

    assert (status_of(answer), code_of(answer)) == (400, "invalid_request")
    assert gateway.asked == []


async def test_tags_in_two_headers_all_count() -> None:
    gateway = StubGateway()

    async with raw_connection(http_app(gateway)) as connection:
        await connection.send(http_request(CHAT, BODY, "X-Moongate-Tags: eu", "X-Moongate-Tags: gold"))
        answer = await one_answer(connection)

    assert status_of(answer) == 200
    assert gateway.asked[0].tags == {"eu", "gold"}


async def test_two_credentials_in_one_header_name_are_none() -> None:
    async with raw_connection(http_app()) as connection:
        await connection.send(http_request(CHAT, BODY, "Authorization: Bearer other"))
        answer = await one_answer(connection)

    assert status_of(answer) == 401


async def test_bare_line_feeds_end_no_line() -> None:
    gateway = StubGateway()
    bare = http_request(CHAT, BODY).replace(b"\r\n", b"\n")

    async with raw_connection(http_app(gateway)) as connection:
        await connection.send(bare)
        answer = await connection.rest()

    assert (status_of(answer), code_of(answer)) == (400, "invalid_request")
    assert gateway.asked == []


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
async def test_path_that_only_resembles_an_open_one_opens_nothing(target: str) -> None:
    async with raw_connection(http_app()) as connection:
        await connection.send(f"GET {target} HTTP/1.1\r\nHost: gateway\r\n\r\n".encode())
        answer = await one_answer(connection)

    assert status_of(answer) in {401, 404}


async def test_websocket_upgrade_is_refused() -> None:
    upgrade = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: eA==", "Sec-WebSocket-Version: 13")
    async with raw_connection(http_app()) as connection:
        await connection.send(http_request("/v1/models", b"", *upgrade, "Content-Length: 0", method="GET"))
        answer = await connection.rest()

    assert status_of(answer) == 403


async def test_upgrade_to_cleartext_http2_is_not_taken_up() -> None:
    upgrade = ("Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA")
    lines = ["GET /health HTTP/1.1", "Host: gateway", *upgrade]
    async with raw_connection(http_app()) as connection:
        await connection.send("\r\n".join(lines).encode() + b"\r\n\r\n")
        answer = await one_answer(connection)

    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_server_does_not_name_itself() -> None:
    async with raw_connection(http_app()) as connection:
        await connection.send(http_request("/health", method="GET"))
        answer = await one_answer(connection)

    assert b"server:" not in answer.lower()
    assert b"hypercorn" not in answer.lower()
