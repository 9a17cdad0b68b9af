"""Cohere, from its settings to an upstream that speaks its wire format."""

import json

import pytest

from adapters.outbound.providers.cohere.dialect import CohereConfig, CohereDialect
from adapters.outbound.providers.translated_provider import TranslatedProvider
from adapters.outbound.providers.transport import AiohttpUpstream
from adapters.testing.virtual_time import ManualClock
from domain.chat import Endpoint, Usage
from domain.failure import FailureKind, ProviderFailed
from tests.integration.providers.calls import REQUEST_ID, call, stream_call
from tests.integration.providers.loopback import STREAM_HEAD, Connection, loopback
from tests.integration.providers.upstream import drain
from tests.integration.providers.wired import MODEL, wired
from tests.wires.cohere import CohereWire
from tests.wires.wire import Heard, Refused, Said, ToolCall, WireReply, WireRequest

WIRE = CohereWire()
SAID = Said(
    text="Größe 😀",
    reasoning="Let me see",
    calls=(ToolCall("c2", "look", {"at": 2}), ToolCall("c3", "look", {})),
    finish="tool_calls",
    cached_tokens=5,
)


async def test_a_chat_is_heard_and_answered() -> None:
    provider, upstream = wired(WIRE, WIRE.whole(SAID, MODEL))

    reply = await provider.complete(call(upstream_model=MODEL))

    assert upstream.heard == Heard(MODEL, stream=False, turns=(("user", "Hi"),))
    assert upstream.requests[0].headers["x-request-id"] == REQUEST_ID
    document = json.loads(reply.body)
    assert (document["id"], document["model"]) == (f"chatcmpl-{REQUEST_ID}", "mine")
    assert document["choices"][0]["message"]["content"] == SAID.text
    assert reply.usage == Usage(11, 7, 5)


async def test_a_stream_is_heard_and_answered() -> None:
    provider, upstream = wired(WIRE, WIRE.stream(SAID, MODEL))

    chunks = await drain(await provider.stream(stream_call()))

    assert upstream.heard.stream
    deltas = [each["delta"] for chunk in chunks for each in json.loads(chunk.data)["choices"]]
    assert "".join(delta.get("content") or "" for delta in deltas) == SAID.text
    assert "".join(delta.get("reasoning_content") or "" for delta in deltas) == SAID.reasoning
    assert [chunk.usage for chunk in chunks if chunk.usage] == [Usage(11, 7, 5)]


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
async def test_both_of_openais_maxima_are_coheres(name: str) -> None:
    provider, upstream = wired(WIRE, WIRE.whole(SAID, MODEL))

    await provider.complete(call({"model": "mine", "messages": [{"role": "user", "content": "Hi"}], name: 9}))

    assert upstream.heard.max_tokens == 9


async def test_completions_are_served_by_chat() -> None:
    provider, upstream = wired(WIRE, WIRE.whole(Said(text="Yes."), MODEL))

    reply = await provider.complete(call({"model": "mine", "prompt": "Is it?"}, endpoint=Endpoint.COMPLETIONS))

    assert upstream.heard.turns == (("user", "Is it?"),)
    assert json.loads(reply.body)["choices"][0]["text"] == "Yes."


async def test_embeddings_are_asked_for_at_their_own_path() -> None:
    document = {"id": "e", "embeddings": {"float": [[0.5]]}, "meta": {"billed_units": {"input_tokens": 2}}}
    provider, upstream = wired(WIRE, WireReply(200, (json.dumps(document).encode(),)))

    reply = await provider.complete(call({"model": "mine", "input": "Hi"}, endpoint=Endpoint.EMBEDDINGS))

    assert upstream.requests[0].path.endswith("/v2/embed")
    assert json.loads(upstream.requests[0].body)["texts"] == ["Hi"]
    assert json.loads(reply.body)["data"][0]["embedding"] == [0.5]
    assert reply.usage == Usage(2, 0)


async def test_a_refusal_for_its_rate_keeps_its_words_and_when_to_come_back() -> None:
    provider, _ = wired(WIRE, WIRE.refusal(Refused(429, "too many", 7)))

    with pytest.raises(ProviderFailed) as raised:
        await provider.stream(stream_call())

    failure = raised.value.failure
    assert (failure.kind, failure.message, failure.retry_after_us) == (FailureKind.RATE_LIMITED, "too many", 7_000_000)


async def test_an_error_in_the_middle_comes_after_what_was_said() -> None:
    *events, _ = WIRE.stream(Said(text="Hello"), MODEL).pieces
    broken = b'data: {"type":"message-end","delta":{"finish_reason":"ERROR","error":"broke"}}\n\n'
    provider, _ = wired(WIRE, WireReply(200, (*events, broken), {"content-type": "text/event-stream"}))
    stream = await provider.stream(stream_call())
    seen = b"".join([chunk.data for batch in [await anext(stream) for _ in range(4)] for chunk in batch])

    assert b'"Hel"' in seen
    with pytest.raises(ProviderFailed, match="broke"):
        await drain(stream)


async def test_a_check_asks_for_one_model_with_the_credential() -> None:
    provider, upstream = wired(WIRE, WireReply(200, (b'{"models": []}',)))

    assert await provider.check() == 200

    (request,) = upstream.requests
    assert (request.method, request.path, request.query) == ("GET", "/lane-a/v1/models", "page_size=1")
    assert request.headers["authorization"] == f"Bearer {WIRE.key}"


@pytest.mark.parametrize("cut_at", [1, 7, 4_096])
async def test_a_stream_on_the_wire_arrives_however_it_is_cut(cut_at: int) -> None:
    sent = b"".join(WIRE.stream(SAID, MODEL).pieces)

    async def serve(connection: Connection) -> None:
        await connection.read_request()
        await connection.send(STREAM_HEAD)
        for start in range(0, len(sent), cut_at):
            await connection.send_chunk(sent[start : start + cut_at])
        await connection.send(b"0\r\n\r\n")

    async with loopback(serve) as server:
        transport = await AiohttpUpstream.open()
        dialect = CohereDialect(CohereConfig("k", server.base_url))
        try:
            provider = TranslatedProvider(dialect, transport, ManualClock(), dialect)
            chunks = await drain(await provider.stream(stream_call()))
        finally:
            await transport.aclose()

    deltas = [each["delta"] for chunk in chunks for each in json.loads(chunk.data)["choices"]]
    assert "".join(delta.get("content") or "" for delta in deltas) == SAID.text
    assert json.loads(chunks[-2].data)["choices"][0]["finish_reason"] == "tool_calls"


async def test_a_line_of_a_megabyte_is_one_piece() -> None:
    text = "x" * (1 << 20)
    provider, _ = wired(WIRE, WIRE.stream(Said(text=text), MODEL))

    chunks = await drain(await provider.stream(stream_call()))

    deltas = [each["delta"] for chunk in chunks for each in json.loads(chunk.data)["choices"]]
    assert "".join(delta.get("content") or "" for delta in deltas) == text


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"n": 2}, "Cohere has no n"),
        ({"messages": [{"role": "user", "content": "Hi", "name": "x"}]}, "has no name"),
        ({"messages": [{"role": "developer", "content": "Hi"}]}, "role"),
        ({"stop_sequences": "END"}, "list"),
    ],
)
def test_the_wire_refuses_what_the_sdk_could_not_send(fields: dict[str, object], message: str) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]} | fields
    headers = {"authorization": f"Bearer {WIRE.key}"}

    with pytest.raises(ValueError, match=message):
        WIRE.hear(WireRequest("POST", "/v2/chat", "", headers, json.dumps(body).encode()))
