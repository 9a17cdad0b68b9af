import httpx
import pytest
import respx

from adapters.outbound.providers.reply_body import MAX_REPLY_BYTES
from domain.failure import FailureKind, ProviderFailed
from tests.integration.providers.calls import call, stream_call
from tests.integration.providers.upstream import Pieces, provider

URL = "https://api.openai.com/v1/chat/completions"
REPLY = b'{"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}]}'


async def refusal(response: httpx.Response, *, stream: bool = False) -> ProviderFailed:
    with respx.mock() as router:
        router.post(URL).mock(return_value=response)
        with pytest.raises(ProviderFailed) as failed:
            await (provider(router).stream(stream_call()) if stream else provider(router).complete(call()))
    return failed.value


@pytest.mark.parametrize("stream", [False, True])
async def test_a_refusal_keeps_status_message_and_wish(*, stream: bool) -> None:
    error = {"message": "Slow down, sk-our-own-key", "type": "requests", "param": None, "code": "rate_limit_exceeded"}
    failure = (
        await refusal(httpx.Response(429, json={"error": error}, headers={"retry-after": "7"}), stream=stream)
    ).failure
    assert failure.kind is FailureKind.RATE_LIMITED
    assert (failure.status, failure.message, failure.code) == (429, "Slow down, [redacted]", "rate_limit_exceeded")
    assert failure.retry_after_us == 7_000_000


async def test_a_redirect_is_not_followed() -> None:
    failure = (await refusal(httpx.Response(307, headers={"location": "http://evil.example/"}))).failure
    assert (failure.kind, failure.status) == (FailureKind.BROKEN_REPLY, 307)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b'"choices"',
        b"{}",
        b'{"choices":{}}',
        b'{"choices":null}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xff\xfe\x00",
        b"<html></html>",
    ],
)
async def test_a_success_that_is_no_reply_is_broken(body: bytes) -> None:
    failure = (await refusal(httpx.Response(200, content=body))).failure
    assert failure.kind is FailureKind.BROKEN_REPLY
    assert failure.ambiguous


@pytest.mark.parametrize("stream", [False, True])
async def test_an_error_in_a_success_is_a_failure(*, stream: bool) -> None:
    response = httpx.Response(200, json={"error": {"message": "m", "code": 429}})
    assert (await refusal(response, stream=stream)).failure.kind is FailureKind.RATE_LIMITED


async def test_a_whole_reply_to_a_stream_request_is_broken() -> None:
    response = httpx.Response(200, content=REPLY, headers={"content-type": "application/json; charset=utf-8"})
    assert (await refusal(response, stream=True)).failure.kind is FailureKind.BROKEN_REPLY


@pytest.mark.parametrize(
    "usage", [b"null", b"-1", b'{"prompt_tokens":-1,"completion_tokens":2}', b'{"prompt_tokens":1e300}', b"[]"]
)
async def test_usage_that_cannot_be_true_is_no_usage(usage: bytes) -> None:
    with respx.mock() as router:
        router.post(URL).respond(content=b'{"choices":[],"usage":%b}' % usage)
        assert (await provider(router).complete(call())).usage is None


async def test_an_endless_reply_is_cut_off() -> None:
    body = Pieces(b"x" * (1 << 20) for _ in range(200))
    failure = (await refusal(httpx.Response(200, stream=body))).failure
    assert failure.kind is FailureKind.BROKEN_REPLY
    assert "larger" in failure.message
    assert body.read_bytes == MAX_REPLY_BYTES + (1 << 20)
    assert body.closed


async def test_an_endless_refusal_is_cut_off() -> None:
    body = Pieces(b"x" * (1 << 15) for _ in range(200))
    failure = (await refusal(httpx.Response(500, stream=body))).failure
    assert (failure.kind, failure.status) == (FailureKind.SERVER_ERROR, 500)
    assert body.read_bytes == 3 << 15
    assert body.closed


async def test_a_refusal_that_breaks_off_keeps_its_status() -> None:
    body = Pieces([b'{"error":'], httpx.ReadError("gone"))
    failure = (await refusal(httpx.Response(503, stream=body, headers={"retry-after": "2"}))).failure
    assert (failure.kind, failure.status, failure.retry_after_us) == (FailureKind.SERVER_ERROR, 503, 2_000_000)
    assert body.closed


async def test_a_reply_that_breaks_off_is_broken() -> None:
    body = Pieces([REPLY[:100]], httpx.ReadError("gone"))
    failure = (await refusal(httpx.Response(200, stream=body))).failure
    assert (failure.kind, failure.ambiguous) == (FailureKind.BROKEN_REPLY, True)
    assert body.closed


async def test_junk_in_headers_harms_nobody() -> None:
    headers = [(b"retry-after", b"\xff\xfe"), (b"content-type", b"\x80"), (b"x-ratelimit-reset-requests", b"\xc3\x28")]
    failure = (await refusal(httpx.Response(429, headers=headers, content=b"\x00\xff"))).failure
    assert (failure.kind, failure.retry_after_us) == (FailureKind.RATE_LIMITED, None)


@pytest.mark.parametrize("error", [httpx.ConnectError("x"), httpx.ConnectTimeout("x")])
async def test_a_provider_out_of_reach_is_a_failure_to_connect(error: httpx.TransportError) -> None:
    with respx.mock() as router:
        router.post(URL).mock(side_effect=error)
        with pytest.raises(ProviderFailed) as failed:
            await provider(router).complete(call())
    assert failed.value.failure.kind is FailureKind.CONNECT
    assert "api.openai.com" not in failed.value.failure.message
