"""The provider over its real transport, in front of a server that speaks Anthropic's wire format."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from openai.types import Completion
from openai.types.chat import ChatCompletion

from adapters.outbound.providers.anthropic.config import AnthropicConfig
from adapters.outbound.providers.anthropic.dialect import AnthropicDialect
from adapters.outbound.providers.translated_provider import TranslatedProvider
from adapters.outbound.providers.transport import AiohttpUpstream
from domain.chat import Chunk, Endpoint, Usage
from domain.failure import FailureKind, ProviderFailed
from tests.integration.providers.calls import REQUEST_ID, call, stream_call
from tests.integration.providers.fakes import SteppingClock
from tests.integration.providers.loopback import STREAM_HEAD, Connection, Loopback, loopback, reply
from tests.integration.providers.upstream import drain
from tests.wires.anthropic import KEY, AnthropicWire, error
from tests.wires.wire import Heard, Refused, Said, WireReply, WireRequest

WIRE = AnthropicWire()
MODEL = "claude-sonnet-4-6"
SAID = Said(text="Grüezi 🌞", reasoning="Zürich, then.", input_tokens=100, cached_tokens=40)


class Server:
    """Answers every request alike, and keeps what it heard."""

    def __init__(self, answer: WireReply, *, bytewise: bool = False, ends: bool = True) -> None:
        self.answer, self.bytewise, self.ends = answer, bytewise, ends
        self.requests: list[WireRequest] = []

    async def __call__(self, connection: Connection) -> None:
        while True:
            head, body = await self._read(connection)
            line, *lines = head.decode().split("\r\n")
            method, target, _ = line.split(" ")
            pairs = (each.partition(": ") for each in lines if each)
            headers = {name.lower(): value for name, _, value in pairs}
            path, _, query = target.partition("?")
            self.requests.append(WireRequest(method, path, query, headers, body))
            await self._answer(connection)

    async def _read(self, connection: Connection) -> tuple[bytes, bytes]:
        head = await connection.reader.readuntil(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        return head, await connection.reader.readexactly(int(lengths[0])) if lengths else b""

    async def _answer(self, connection: Connection) -> None:
        if "event-stream" not in self.answer.headers["content-type"]:
            whole = reply(self.answer.pieces[0], status=f"{self.answer.status} X")
            extra = "".join(f"{name}: {value}\r\n" for name, value in self.answer.headers.items() if name[0] == "r")
            await connection.send(whole.replace(b"\r\n", b"\r\n" + extra.encode(), 1))
            return
        await connection.send(STREAM_HEAD)
        for piece in self.answer.pieces:
            for part in [bytes((byte,)) for byte in piece] if self.bytewise else [piece]:
                await connection.send_chunk(part)
        if not self.ends:
            connection.reset()
        await connection.send(b"0\r\n\r\n")

    def heard(self) -> Heard:
        return WIRE.hear(self.requests[-1])


@asynccontextmanager
async def opened(server: Server, **headers: str) -> AsyncIterator[tuple[TranslatedProvider[bytes], Loopback]]:
    async with loopback(server) as upstream:
        transport = await AiohttpUpstream.open()
        dialect = AnthropicDialect(AnthropicConfig(f"http://127.0.0.1:{upstream.port}", KEY, headers))
        try:
            yield TranslatedProvider(dialect, transport, SteppingClock()), upstream
        finally:
            await transport.aclose()


async def refusal(server: Server, *, stream: bool = False) -> Any:
    async with opened(server) as (provider, _):
        asking = streamed(provider) if stream else provider.complete(call(upstream_model=MODEL))
        with pytest.raises(ProviderFailed) as raised:
            await asking
    return raised.value.failure


async def streamed(provider: TranslatedProvider[bytes]) -> list[Chunk]:
    return await drain(await provider.stream(stream_call()))


async def test_a_chat_is_heard_by_the_provider_and_answered_in_openais_words() -> None:
    server = Server(WIRE.whole(SAID, MODEL))
    async with opened(server) as (provider, _):
        answer = await provider.complete(call(upstream_model=MODEL))

    heard = server.heard()
    assert (heard.model, heard.stream, heard.turns) == (MODEL, False, (("user", "Hi"),))
    assert server.requests[0].headers["x-request-id"] == REQUEST_ID
    document = json.loads(answer.body)
    ChatCompletion.model_validate(document)
    assert (document["model"], document["id"]) == ("mine", f"chatcmpl-{REQUEST_ID}")
    assert document["choices"][0]["message"]["content"] == SAID.text
    assert answer.usage == Usage(100, 7, 40)


async def test_headers_of_the_configuration_win() -> None:
    server = Server(WIRE.whole(SAID, MODEL))
    async with opened(server, **{"Anthropic-Version": "2099-01-01", "anthropic-beta": "b"}) as (provider, _):
        await provider.complete(call(upstream_model=MODEL))
    sent = server.requests[0].headers
    assert (sent["anthropic-version"], sent["anthropic-beta"], sent["x-api-key"]) == ("2099-01-01", "b", KEY)


@pytest.mark.parametrize("bytewise", [False, True])
async def test_a_stream_says_the_same_however_it_is_cut(*, bytewise: bool) -> None:
    server = Server(WIRE.stream(SAID, MODEL), bytewise=bytewise)
    async with opened(server) as (provider, _):
        chunks = await drain(await provider.stream(stream_call()))

    assert server.heard().stream
    assert server.requests[0].headers["accept"] == "text/event-stream"
    deltas = [choice["delta"] for chunk in chunks for choice in json.loads(chunk.data)["choices"]]
    assert "".join(delta.get("content") or "" for delta in deltas) == SAID.text
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == SAID.reasoning
    assert [chunk.usage for chunk in chunks if chunk.usage] == [Usage(100, 7, 40)]
    assert not chunks[-1].visible


async def test_a_stream_that_the_client_wants_counted_shows_its_usage() -> None:
    async with opened(Server(WIRE.stream(SAID, MODEL))) as (provider, _):
        chunks = await drain(await provider.stream(stream_call(stream_options={"include_usage": True})))
    assert chunks[-1].visible
    assert json.loads(chunks[-1].data)["usage"]["prompt_tokens"] == 100


async def test_completions_are_served_by_chat() -> None:
    server = Server(WIRE.whole(SAID, MODEL))
    fields = {"model": "mine", "prompt": "Hi", "max_tokens": 5}
    async with opened(server) as (provider, _):
        answer = await provider.complete(call(fields, endpoint=Endpoint.COMPLETIONS, upstream_model=MODEL))
    assert server.heard().max_tokens == 5
    assert Completion.model_validate_json(answer.body).choices[0].text == SAID.text


async def test_an_unsupported_field_is_refused_before_anything_is_sent_or_dropped() -> None:
    server = Server(WIRE.whole(SAID, MODEL))
    fields = {"model": "mine", "messages": [{"role": "user", "content": "Hi"}], "seed": 1}
    async with opened(server) as (provider, _):
        with pytest.raises(ProviderFailed) as raised:
            await provider.complete(call(fields, upstream_model=MODEL))
        assert server.requests == []
        await provider.complete(call(fields, upstream_model=MODEL, drop_params=True))
    assert (raised.value.failure.kind, raised.value.failure.param) == (FailureKind.UNSUPPORTED, "seed")
    assert len(server.requests) == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_a_refusal_keeps_status_message_and_wish(*, stream: bool) -> None:
    server = Server(WIRE.refusal(Refused(429, f"Slow down, {KEY}", 7)))
    failure = await refusal(server, stream=stream)
    assert (failure.kind, failure.status) == (FailureKind.RATE_LIMITED, 429)
    assert (failure.message, failure.retry_after_us) == ("Slow down, [redacted]", 7_000_000)


async def test_an_overload_is_a_server_error_whole_or_streamed() -> None:
    whole = await refusal(Server(WIRE.refusal(Refused(529, "Overloaded", 3))))
    assert (whole.kind, whole.status, whole.retry_after_us) == (FailureKind.SERVER_ERROR, 529, 3_000_000)
    begun = WIRE.stream(SAID, MODEL)
    event = b"event: error\ndata: " + json.dumps(error(Refused(529, "Overloaded"))).encode() + b"\n\n"
    late = await refusal(Server(WireReply(200, (*begun.pieces[:2], event), begun.headers)), stream=True)
    assert (late.kind, late.status) == (FailureKind.SERVER_ERROR, 529)


@pytest.mark.parametrize("ends", [False, True])
async def test_a_stream_without_its_last_event_is_a_failure(*, ends: bool) -> None:
    stream = WIRE.stream(SAID, MODEL)
    cut = Server(WireReply(200, stream.pieces[:-1], stream.headers), ends=ends)
    assert (await refusal(cut, stream=True)).kind is FailureKind.BROKEN_REPLY


async def test_a_whole_reply_to_a_stream_request_is_broken() -> None:
    failure = await refusal(Server(WIRE.whole(SAID, MODEL)), stream=True)
    assert failure.kind is FailureKind.BROKEN_REPLY


async def test_a_check_asks_for_the_models() -> None:
    server = Server(WireReply(200, (b'{"data": [], "has_more": false}',)))
    async with opened(server) as (provider, _):
        assert await provider.check() == 200
    (request,) = server.requests
    assert (request.method, request.path, request.headers["x-api-key"]) == ("GET", "/v1/models", KEY)


async def test_a_check_with_a_key_that_is_refused_says_so() -> None:
    async with opened(Server(WIRE.refusal(Refused(401, "invalid x-api-key")))) as (provider, _):
        with pytest.raises(ProviderFailed) as raised:
            await provider.check()
    assert raised.value.failure.kind is FailureKind.CREDENTIAL_REFUSED
