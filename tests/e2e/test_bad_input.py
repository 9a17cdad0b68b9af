"""What no client should send, over real HTTP: each the documented error, never a 500, and healthy after."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e import raw_http
from tests.e2e.gateway_process import Gateway, configuration, instance, running_gateway
from tests.e2e.raw_http import RawReply
from tests.e2e.scripted_upstream import ScriptedUpstream

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHAT = "/v1/chat/completions"
MESSAGES = '"messages": [{"role": "user", "content": "x"}]'
LARGE_BYTES = 40 * 1024 * 1024
INVALID_JSON = {
    "not json": b"hello",
    "nothing": b"",
    "cut short": b'{"model": "fine", ',
    "two documents": b'{"model": "fine"} {}',
    "a duplicate key": f'{{"model": "fine", "model": "other", {MESSAGES}}}'.encode(),
    "a duplicate key inside": b'{"model": "fine", "messages": [{"role": "user", "role": "system", "content": "x"}]}',
    "NaN": f'{{"model": "fine", {MESSAGES}, "temperature": NaN}}'.encode(),
    "Infinity": f'{{"model": "fine", {MESSAGES}, "temperature": -Infinity}}'.encode(),
    "depth 10,000": b'{"model": "fine", "messages": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "depth 65": b'{"model": "fine", "messages": ' + b"[" * 65 + b"]" * 65 + b"}",
    "not UTF-8": b'{"model": "\xff\xfe"}',
}
INVALID_REQUEST = {
    "no model": (f"{{{MESSAGES}}}", "model"),
    "a number for a model": (f'{{"model": 7, {MESSAGES}}}', "model"),
    "an empty model": (f'{{"model": "", {MESSAGES}}}', "model"),
    "no messages": ('{"model": "fine"}', "messages"),
    "a string for messages": ('{"model": "fine", "messages": "x"}', "messages"),
    "no message": ('{"model": "fine", "messages": []}', "messages"),
    "a string for stream": (f'{{"model": "fine", "stream": "yes", {MESSAGES}}}', "stream"),
    "negative max_tokens": (f'{{"model": "fine", "max_tokens": -1, {MESSAGES}}}', "max_tokens"),
    "negative n": (f'{{"model": "fine", "n": -1, {MESSAGES}}}', "n"),
    "a huge n": (f'{{"model": "fine", "n": 1000000, {MESSAGES}}}', "n"),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    document = configuration([instance("fine", upstream.base_url)])
    async with running_gateway(document, tmp_path_factory.mktemp("bad-input")) as running:
        yield running


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def _healthy_after(gateway: Gateway) -> AsyncIterator[None]:
    yield
    assert (await raw_http.exchange(gateway.port, raw_http.get("/health"))).status == 200
    assert (await gateway.chat("fine")).status == 200


def assert_error(reply: RawReply, status: int, code: str | None = None, param: str | None = None) -> None:
    """The documented error, in OpenAI's shape, with a request id."""
    assert reply.status == status, reply.body
    error = reply.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    assert reply.headers["x-request-id"]
    if code is not None:
        assert error["code"] == code
    if param is not None:
        assert error["param"] == param


@pytest.mark.parametrize("what", INVALID_JSON)
async def test_body_that_is_no_acceptable_json_is_invalid_json(gateway: Gateway, what: str) -> None:
    reply = await raw_http.exchange(gateway.port, gateway.post(CHAT, INVALID_JSON[what]))

    assert_error(reply, 400, "invalid_json")


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"null", b"7"])
async def test_document_that_is_no_object_is_refused(gateway: Gateway, body: bytes) -> None:
    reply = await raw_http.exchange(gateway.port, gateway.post(CHAT, body))

    assert_error(reply, 400)


@pytest.mark.parametrize("what", INVALID_REQUEST)
async def test_field_that_is_wrong_is_named(gateway: Gateway, what: str) -> None:
    body, param = INVALID_REQUEST[what]

    reply = await raw_http.exchange(gateway.port, gateway.post(CHAT, body.encode()))

    assert_error(reply, 400, "invalid_request", param)


async def test_unknown_fields_and_depth_sixty_are_fine(gateway: Gateway) -> None:
    nested = json.loads("[" * 60 + "]" * 60)

    reply = await raw_http.exchange(gateway.port, gateway.post(CHAT, raw_http.chat("fine", made_up=nested)))

    assert reply.status == 200


async def test_unknown_model_injects_no_header(gateway: Gateway) -> None:
    reply = await raw_http.exchange(gateway.port, gateway.post(CHAT, raw_http.chat("x\r\nset-cookie: a=1")))

    assert_error(reply, 404, "model_not_found", "model")
    assert "set-cookie" not in reply.headers


async def test_unknown_model_of_a_megabyte_does_not_come_back_whole(gateway: Gateway) -> None:
    reply = await raw_http.exchange(gateway.port, gateway.post(CHAT, raw_http.chat("x" * 1_000_000)))

    assert_error(reply, 404, "model_not_found", "model")
    assert len(reply.body) < 1_000


@pytest.mark.parametrize("identity", ["a b", "x" * 129, "<script>", "é"])
async def test_unsafe_request_id_never_comes_back(gateway: Gateway, identity: str) -> None:
    reply = await gateway.chat("fine", headers={"x-request-id": identity})

    assert reply.status == 200
    assert "x-client-request-id" not in reply.headers
    assert reply.headers["x-request-id"] != identity


async def test_safe_request_id_comes_back_as_the_clients(gateway: Gateway) -> None:
    reply = await gateway.chat("fine", headers={"x-request-id": "job-17.a_b"})

    assert reply.headers["x-client-request-id"] == "job-17.a_b"
    assert reply.headers["x-request-id"] != "job-17.a_b"


@pytest.mark.parametrize("credential", [{}, {"authorization": "Bearer"}, {"x-api-key": "no"}, {"authorization": "x"}])
async def test_absent_or_unknown_key_is_invalid(gateway: Gateway, credential: dict[str, str]) -> None:
    reply = await raw_http.exchange(gateway.port, raw_http.post(CHAT, raw_http.chat("fine"), credential))

    assert_error(reply, 401, "invalid_api_key")


@pytest.mark.parametrize("header", ["authorization", "x-api-key", "api-key"])
async def test_key_is_read_from_every_documented_header(gateway: Gateway, header: str) -> None:
    value = f"Bearer {gateway.key}" if header == "authorization" else gateway.key

    reply = await raw_http.exchange(gateway.port, raw_http.post(CHAT, raw_http.chat("fine"), {header: value}))

    assert reply.status == 200


async def test_unknown_path_and_wrong_method_are_errors_in_the_same_shape(gateway: Gateway) -> None:
    unknown = await raw_http.exchange(gateway.port, gateway.post("/v1/nothing", b"{}"))
    wrong = await raw_http.exchange(gateway.port, raw_http.get(CHAT, {"authorization": f"Bearer {gateway.key}"}))

    assert_error(unknown, 404)
    assert_error(wrong, 405)


@pytest.mark.parametrize("chunked", [False, True])
async def test_body_of_forty_megabytes_is_too_large(gateway: Gateway, *, chunked: bool) -> None:
    reply = await asyncio.to_thread(_send_large, gateway, chunked=chunked)

    assert reply.startswith(b"HTTP/1.1 413 ")
    assert b"request_too_large" in reply


def _send_large(gateway: Gateway, *, chunked: bool) -> bytes:
    """Send 40 MB, or as much as is taken; then whatever was answered."""
    framing = "transfer-encoding: chunked" if chunked else f"content-length: {LARGE_BYTES}"
    head = f"POST {CHAT} HTTP/1.1\r\nhost: g\r\nauthorization: Bearer {gateway.key}\r\n{framing}\r\n\r\n"
    piece = b"x" * 65_536
    framed = b"10000\r\n" + piece + b"\r\n" if chunked else piece
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        reply = b""
        try:
            connection.sendall(head.encode())
            for _ in range(LARGE_BYTES // len(piece)):
                connection.sendall(framed)
        except ConnectionError:
            pass  # refused before all of it was sent: the better answer
        try:
            while b"request_too_large" not in reply and (data := connection.recv(65_536)):
                reply += data
        except ConnectionError:
            pass
        return reply


SMUGGLED = "GET /v1/models HTTP/1.1\r\nhost: g\r\n\r\n"


@pytest.mark.parametrize(
    "framing",
    [
        "content-length: 4\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 4",
        "content-length: 4\r\ncontent-length: 5",
        "content-length: -1",
        "content-length: four",
        "transfer-encoding: gzip, chunked, identity",
    ],
)
async def test_ambiguous_length_is_refused_and_nothing_after_it_is_read(gateway: Gateway, framing: str) -> None:
    head = f"POST {CHAT} HTTP/1.1\r\nhost: g\r\nauthorization: Bearer {gateway.key}\r\n{framing}\r\n\r\n"

    everything = await _until_closed(gateway, head + "0\r\n\r\n" + SMUGGLED)

    assert everything.count(b"HTTP/1.1 ") == 1
    assert everything.split(b" ")[1] == b"400"
    assert b'"code":"invalid_request"' in everything


async def test_malformed_chunk_closes_the_connection(gateway: Gateway) -> None:
    key = f"authorization: Bearer {gateway.key}"
    head = f"POST {CHAT} HTTP/1.1\r\nhost: g\r\n{key}\r\ntransfer-encoding: chunked\r\n\r\n"

    everything = await _until_closed(gateway, head + "zz\r\nhello\r\n0\r\n\r\n" + SMUGGLED)

    assert everything.count(b"HTTP/1.1 ") <= 1
    assert b'"object"' not in everything


async def test_headers_beyond_their_limit_are_refused(gateway: Gateway) -> None:
    head = f"GET /v1/models HTTP/1.1\r\nhost: g\r\nx-long: {'x' * 40_000}\r\n\r\n"

    everything = await _until_closed(gateway, head)

    assert everything[:10] in {b"HTTP/1.1 4", b""}
    assert b'"object"' not in everything


async def _until_closed(gateway: Gateway, text: str) -> bytes:
    """Everything that comes back until the gateway closes the connection."""
    received = b""
    async with asyncio.timeout(10), raw_http.RawConnection(gateway.port) as connection:
        await connection.send(text.encode())
        try:
            while data := await connection.some():
                received += data
        except ConnectionError:
            return received
    return received
