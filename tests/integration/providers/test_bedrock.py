"""Bedrock from its settings to the wire, over the real transport where that matters."""

import json
import logging

import httpx
import pytest
from pydantic import TypeAdapter

from adapters.outbound.providers.transport import AiohttpUpstream
from adapters.testing.doubles import SeededRandomness
from adapters.testing.virtual_time import ManualClock
from application.ports.provider import Provider
from bootstrap.provider_wiring import configured_providers
from bootstrap.settings.providers import AnyProviderSettings, ProviderSettings
from domain.chat import Endpoint, Usage
from domain.failure import FailureKind, ProviderFailed
from domain.identifiers import InstanceId
from tests.integration.providers.calls import call, stream_call
from tests.integration.providers.loopback import Connection, loopback, reply
from tests.integration.providers.upstream import Pieces, drain
from tests.wires.bedrock import KEYS, REGION, BedrockWire
from tests.wires.bedrock_model import assert_signed
from tests.wires.wire import Heard, Refused, Said, ToolCall, WireReply, WireRequest

WIRE = BedrockWire()
MODEL = "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-4-20250514-v1:0"
SAID = Said("Grüße 🌍", "hm", (ToolCall("a", "look", {"ü": 1}),), "tool_calls", cached_tokens=4)


class Upstream:
    """Answers in order; what it was sent is kept."""

    def __init__(self, *replies: WireReply) -> None:
        self._replies = iter(replies)
        self.requests: list[WireRequest] = []

    @property
    def heard(self) -> Heard:
        return WIRE.hear(self.requests[-1])

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        path = url.raw_path.decode("ascii").partition("?")[0]
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append(WireRequest(request.method, path, url.query.decode(), headers, request.content))
        answer = next(self._replies)
        return httpx.Response(answer.status, headers=dict(answer.headers), stream=Pieces(answer.pieces))


def made(base_url: str, transport: httpx.AsyncBaseTransport) -> Provider:
    adapter: TypeAdapter[AnyProviderSettings] = TypeAdapter(ProviderSettings)
    settings = adapter.validate_python(WIRE.settings(base_url, MODEL))
    providers = configured_providers({InstanceId("it"): settings}, transport, ManualClock(), SeededRandomness())
    provider = providers.find(InstanceId("it"))
    assert provider is not None
    return provider


def wired(*replies: WireReply) -> tuple[Provider, Upstream]:
    upstream = Upstream(*replies)
    return made("https://bedrock.test/lane-a", httpx.MockTransport(upstream)), upstream


async def test_chat_is_heard_and_its_reply_told() -> None:
    provider, upstream = wired(WIRE.whole(SAID, MODEL))
    reply = await provider.complete(call(upstream_model=MODEL))

    assert upstream.heard == Heard(MODEL, stream=False, turns=(("user", "Hi"),))
    document = json.loads(reply.body)
    assert (document["model"], document["choices"][0]["message"]["content"]) == ("mine", "Grüße 🌍")
    assert reply.usage == Usage(11, 7, 4)


async def test_nothing_that_is_signed_gets_into_a_log(caplog: pytest.LogCaptureFixture) -> None:
    provider, _ = wired(WIRE.whole(Said(text="Yes"), "m"))

    with caplog.at_level(logging.DEBUG):
        await provider.complete(call())

    assert KEYS.token is not None
    assert KEYS.token not in caplog.text


async def test_stream_is_heard_and_told_and_ends_well() -> None:
    provider, upstream = wired(WIRE.stream(SAID, MODEL))
    chunks = await drain(await provider.stream(stream_call(max_tokens=5)))

    assert (upstream.heard.stream, upstream.heard.max_tokens) == (True, 5)
    deltas = [choice["delta"] for chunk in chunks for choice in json.loads(chunk.data)["choices"]]
    assert "".join(delta.get("content", "") for delta in deltas) == "Grüße 🌍"
    assert [chunk.usage for chunk in chunks if chunk.usage] == [Usage(11, 7, 4)]


async def test_stream_without_its_usage_is_complete_where_the_connection_ends() -> None:
    whole = WIRE.stream(SAID, MODEL)
    provider, _ = wired(WireReply(200, whole.pieces[:-1], whole.headers))

    chunks = await drain(await provider.stream(stream_call()))

    assert json.loads(chunks[-1].data)["choices"][0]["finish_reason"] == "tool_calls"


async def test_stream_that_is_cut_is_a_failure_after_what_came() -> None:
    whole = WIRE.stream(SAID, MODEL)
    provider, _ = wired(WireReply(200, whole.pieces[:-2], whole.headers))

    with pytest.raises(ProviderFailed) as raised:
        await drain(await provider.stream(stream_call()))
    assert raised.value.failure.kind is FailureKind.BROKEN_REPLY


async def test_throttling_says_when_to_come_back() -> None:
    provider, _ = wired(WIRE.refusal(Refused(429, "slow down", retry_after_s=7)))

    with pytest.raises(ProviderFailed) as raised:
        await provider.stream(stream_call())
    failure = raised.value.failure
    assert (failure.kind, failure.message, failure.retry_after_us) == (FailureKind.RATE_LIMITED, "slow down", 7_000_000)


async def test_completions_are_chats_of_one_prompt() -> None:
    provider, upstream = wired(WIRE.whole(Said("there"), MODEL))
    asked = call({"model": "mine", "prompt": "Hi"}, endpoint=Endpoint.COMPLETIONS, upstream_model=MODEL)

    document = json.loads((await provider.complete(asked)).body)

    assert (document["object"], document["choices"][0]["text"]) == ("text_completion", "there")
    assert upstream.heard.turns == (("user", "Hi"),)


async def test_embeddings_are_signed_like_all_else() -> None:
    provider, upstream = wired(WireReply(200, (b'{"embedding": [0.5], "inputTextTokenCount": 3}',)))
    asked = call(
        {"model": "mine", "input": "Hi"}, endpoint=Endpoint.EMBEDDINGS, upstream_model="amazon.titan-embed-text-v2:0"
    )

    reply = await provider.complete(asked)

    assert reply.usage == Usage(3, 0)
    assert upstream.requests[0].path == "/lane-a/model/amazon.titan-embed-text-v2%3A0/invoke"
    assert_signed(upstream.requests[0], KEYS, REGION)


async def test_check_lists_what_costs_nothing_at_the_configured_host() -> None:
    provider, upstream = wired(WireReply(200, (b'{"asyncInvokeSummaries": []}',)))

    assert await provider.check() == 200
    (request,) = upstream.requests
    assert (request.method, request.path, request.query) == ("GET", "/lane-a/async-invoke", "maxResults=1")
    assert_signed(request, KEYS, REGION)


async def test_image_by_url_is_refused_and_nothing_is_sent() -> None:
    provider, upstream = wired()
    part = {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}

    with pytest.raises(ProviderFailed) as raised:
        await provider.complete(call({"model": "mine", "messages": [{"role": "user", "content": [part]}]}))
    assert (raised.value.failure.kind, raised.value.failure.param) == (FailureKind.UNSUPPORTED, "messages")
    assert upstream.requests == []


async def test_signature_holds_for_what_the_real_transport_puts_on_the_wire() -> None:
    heard: list[tuple[bytes, bytes]] = []
    (body,) = WIRE.whole(Said("there"), MODEL).pieces

    async def serve(connection: Connection) -> None:
        sent = await connection.read_request()
        heard.append((connection.head, sent))
        await connection.send(reply(body))

    async with loopback(serve) as server:
        transport = await AiohttpUpstream.open()
        try:
            await made(server.base_url, transport).complete(call(upstream_model=MODEL))
        finally:
            await transport.aclose()

    ((head, sent),) = heard
    line, *fields = head.decode("latin-1").rstrip().split("\r\n")
    method, path, _ = line.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    assert WIRE.hear(WireRequest(method, path, "", headers, sent)).model == MODEL
