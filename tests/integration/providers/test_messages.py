"""Messages natively by Anthropic, and through the chat of a provider that has nothing else."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from anthropic.types import Message

from adapters.outbound.providers.anthropic.config import AnthropicConfig
from adapters.outbound.providers.anthropic.dialect import AnthropicDialect
from adapters.outbound.providers.anthropic.native import AnthropicProvider
from adapters.outbound.providers.echo import EchoConfig, EchoProvider
from adapters.outbound.providers.translated_provider import TranslatedProvider
from adapters.outbound.providers.transport import AiohttpUpstream
from application.ports.provider import Provider
from bootstrap.client_dialects import speaking
from domain.chat import Endpoint, Reply, Usage
from domain.failure import FailureKind, ProviderFailed
from tests.integration.providers.calls import call
from tests.integration.providers.fakes import SteppingClock
from tests.integration.providers.loopback import loopback
from tests.integration.providers.test_anthropic import SAID, Server
from tests.integration.providers.upstream import drain
from tests.unit.providers.messages_via_chat.calls import rebuilt
from tests.wires.anthropic import KEY, AnthropicWire
from tests.wires.wire import Refused, WireReply

WIRE = AnthropicWire()
BODY = b'{ "model": "mine", "max_tokens": 9, "messages": [{"role":"user","content":"H\\u0069"}], "x": 1.50 }'
PLAIN_BODY = BODY.replace(b', "x": 1.50', b"")
STREAM_BODY = BODY.replace(b'"x"', b'"stream": true, "x"')


class NoChance:
    def draw(self) -> float:
        return 0.5

    def bits(self, _count: int) -> int:
        return 1


async def natively(server: Server, body: bytes, *, stream: bool = False, endpoint: Endpoint = Endpoint.MESSAGES) -> Any:
    async with loopback(server) as upstream:
        transport = await AiohttpUpstream.open()
        config = AnthropicConfig(f"http://127.0.0.1:{upstream.port}", KEY)
        translated = TranslatedProvider(AnthropicDialect(config), transport, SteppingClock())
        provider = AnthropicProvider(config, transport, translated)
        asked = call(body=body, endpoint=endpoint, upstream_model="claude-x")
        try:
            return await drain(await provider.stream(asked)) if stream else await provider.complete(asked)
        finally:
            await transport.aclose()


@pytest.mark.parametrize(
    ("own", "told"), [({}, "b-1,a-2"), ({"Anthropic-Beta": "a-2, c-3"}, "a-2,c-3,b-1"), ({"x-other": "o"}, "b-1,a-2")]
)
async def test_features_of_the_client_stand_beside_those_of_the_instance(own: dict[str, str], told: str) -> None:
    server = Server(WIRE.whole(SAID, "claude-x"))
    async with loopback(server) as upstream:
        transport = await AiohttpUpstream.open()
        config = AnthropicConfig(f"http://127.0.0.1:{upstream.port}", KEY, own)
        translated = TranslatedProvider(AnthropicDialect(config), transport, SteppingClock())
        provider = AnthropicProvider(config, transport, translated)
        asked = call(body=BODY, endpoint=Endpoint.MESSAGES, upstream_model="claude-x")
        try:
            await provider.complete(replace(asked, request=replace(asked.request, betas=("b-1", "a-2"))))
        finally:
            await transport.aclose()

    assert server.requests[0].headers["anthropic-beta"] == told


async def test_the_clients_own_bytes_go_to_anthropic_but_for_the_model() -> None:
    server = Server(WIRE.whole(SAID, "claude-x"))
    reply = await natively(server, BODY)

    sent = server.requests[0]
    assert (sent.path, sent.body) == ("/v1/messages", BODY.replace(b'"mine"', b'"claude-x"'))
    assert sent.headers["x-api-key"] == KEY
    told = Message.model_validate_json(reply.body, strict=True)
    assert told.model == "mine"
    assert reply.usage == Usage(100, 7, 40)


@pytest.mark.parametrize("bytewise", [False, True])
async def test_a_native_stream_says_what_the_whole_reply_says(*, bytewise: bool) -> None:
    whole = await natively(Server(WIRE.whole(SAID, "claude-x")), BODY)
    server = Server(WIRE.stream(SAID, "claude-x"), bytewise=bytewise)
    chunks = await natively(server, STREAM_BODY, stream=True)

    assert server.requests[0].headers["accept"] == "text/event-stream"
    told, expected = rebuilt([chunk for chunk in chunks if b'"ping"' not in chunk.data]), json.loads(whole.body)
    assert (told["content"], told["model"]) == (expected["content"], "mine")
    assert [chunk.usage for chunk in chunks if chunk.usage] == [Usage(100, 7, 40)]


async def test_a_native_stream_that_ends_early_has_failed() -> None:
    wire = WIRE.stream(SAID, "claude-x")
    cut = WireReply(wire.status, wire.pieces[:-1], wire.headers)
    with pytest.raises(ProviderFailed) as raised:
        await natively(Server(cut), STREAM_BODY, stream=True)
    assert raised.value.failure.kind is FailureKind.BROKEN_REPLY


async def test_a_refusal_of_anthropics_is_read() -> None:
    with pytest.raises(ProviderFailed) as raised:
        await natively(Server(WIRE.refusal(Refused(429, "slow down", 3))), BODY)
    failure = raised.value.failure
    assert (failure.kind, failure.retry_after_us) == (FailureKind.RATE_LIMITED, 3_000_000)


async def test_tokens_are_counted_by_anthropic_itself_and_cost_nothing() -> None:
    server = Server(WireReply(200, (b'{"input_tokens": 42}',)))
    reply = await natively(server, BODY, endpoint=Endpoint.COUNT_TOKENS)
    assert server.requests[0].path == "/v1/messages/count_tokens"
    assert reply == Reply(b'{"input_tokens": 42}', Usage(0, 0))


@pytest.mark.parametrize(
    ("endpoint", "document"), [(Endpoint.MESSAGES, {"id": "x"}), (Endpoint.COUNT_TOKENS, {"input_tokens": "4"})]
)
async def test_a_reply_of_another_shape_is_broken(endpoint: Endpoint, document: Mapping[str, object]) -> None:
    server = Server(WireReply(200, (json.dumps(document).encode(),)))
    with pytest.raises(ProviderFailed) as raised:
        await natively(server, BODY, endpoint=endpoint)
    assert raised.value.failure.kind is FailureKind.BROKEN_REPLY


def echo() -> Provider:
    return speaking(EchoProvider(EchoConfig(), SteppingClock(), NoChance()), "echo", frozenset())


async def test_a_chat_serves_messages_whole_and_as_a_stream_alike() -> None:
    whole = await echo().complete(call(body=PLAIN_BODY, endpoint=Endpoint.MESSAGES))
    chunks = await drain(
        await echo().stream(call(body=PLAIN_BODY.replace(b"{ ", b'{"stream":true,'), endpoint=Endpoint.MESSAGES))
    )

    told = Message.model_validate_json(whole.body, strict=True).model_dump(exclude_none=True)
    assert told["content"] == [{"type": "text", "text": "Hi"}]
    assert rebuilt([chunk for chunk in chunks if chunk.data]) == told
    assert whole.usage == Usage(1, 1)
    assert [chunk.usage for chunk in chunks if chunk.usage] == [whole.usage]


async def test_a_provider_that_cannot_count_is_not_asked() -> None:
    failing = EchoProvider(EchoConfig(fail_rate=1), SteppingClock(), NoChance())
    reply = await speaking(failing, "echo", frozenset()).complete(call(body=BODY, endpoint=Endpoint.COUNT_TOKENS))
    assert reply == Reply(b'{"input_tokens":0}', Usage(0, 0), by_gateway=True)


async def test_what_is_native_is_left_to_the_provider() -> None:
    provider = EchoProvider(EchoConfig(), SteppingClock(), NoChance())
    assert (
        speaking(provider, "x", frozenset({Endpoint.MESSAGES, Endpoint.COUNT_TOKENS, Endpoint.RESPONSES})) is provider
    )


async def test_a_conversation_that_another_provider_answered_goes_to_anthropic_without_what_it_refuses() -> None:
    thought = b'{"type":"thinking","thinking":"hm","signature":""}'
    turn = b'{"role":"assistant","content":[' + thought + b',{"type":"text","text":"x"}]}'
    server = Server(WIRE.whole(SAID, "claude-x"))
    await natively(server, PLAIN_BODY.replace(b"[{", b"[" + turn + b",{"))

    sent = json.loads(server.requests[0].body)
    assert sent["messages"][0]["content"] == [{"type": "text", "text": "x"}]
    assert sent["model"] == "claude-x"


async def test_a_body_without_the_model_that_its_path_names_gets_it() -> None:
    server = Server(WIRE.whole(SAID, "claude-x"))
    await natively(server, PLAIN_BODY.replace(b'"model": "mine", ', b""))

    assert json.loads(server.requests[0].body)["model"] == "claude-x"
