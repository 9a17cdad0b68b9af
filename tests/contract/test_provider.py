import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from adapters.outbound.providers.anthropic.config import AnthropicConfig
from adapters.outbound.providers.anthropic.dialect import AnthropicDialect
from adapters.outbound.providers.anthropic.request import CAPABILITIES as ANTHROPIC
from adapters.outbound.providers.cohere.dialect import CohereConfig, CohereDialect
from adapters.outbound.providers.cohere.words import CAPABILITIES as COHERE
from adapters.outbound.providers.echo import EchoConfig, EchoProvider
from adapters.outbound.providers.gemini.config import GeminiConfig
from adapters.outbound.providers.gemini.dialect import GEMINI, GeminiDialect
from adapters.outbound.providers.openai_compatible import OpenAICompatibleProvider
from adapters.outbound.providers.openai_config import OpenAICompatibleConfig
from adapters.outbound.providers.translated_provider import TranslatedProvider
from adapters.testing.doubles import SeededRandomness
from adapters.testing.provider_contract import UPSTREAM_MODEL, ProviderContract, ProviderHarness
from adapters.testing.scripted_provider import Act, ScriptedProvider, fails
from adapters.testing.virtual_time import ManualClock
from domain.failure import Failure, FailureKind
from tests.wires.anthropic import AnthropicWire
from tests.wires.cohere import CohereWire
from tests.wires.gemini import GeminiWire
from tests.wires.wire import Refused, Said, Wire, WireReply

USAGE = {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6}


class Pieces(httpx.AsyncByteStream):
    def __init__(self, *pieces: bytes) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


def whole_reply(path: str) -> dict[str, object]:
    if path.endswith("embeddings"):
        return {"model": UPSTREAM_MODEL, "data": [{"embedding": [0.5], "index": 0}], "usage": USAGE}
    message = {"message": {"role": "assistant", "content": "one two"}, "text": "one two", "finish_reason": "stop"}
    return {"model": UPSTREAM_MODEL, "choices": [{"index": 0, **message}], "usage": USAGE}


def event(**fields: object) -> bytes:
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": UPSTREAM_MODEL, **fields}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def word(text: str, finish: str | None = None) -> bytes:
    return event(choices=[{"index": 0, "delta": {"content": text}, "finish_reason": finish}])


def streamed(*pieces: bytes) -> httpx.Response:
    return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Pieces(*pieces))


async def healthy(request: httpx.Request) -> httpx.Response:
    if request.method == "GET":
        return httpx.Response(200, stream=Pieces(b'{"object": "list", ', b'"data": []}'))
    if b'"stream":' not in request.content and b'"stream": ' not in request.content:
        return httpx.Response(200, stream=Pieces(json.dumps(whole_reply(request.url.path)).encode()))
    return streamed(word("one "), word("two", "stop"), event(choices=[], usage=USAGE), b"data: [DONE]\n\n")


async def failing(_: httpx.Request) -> httpx.Response:
    return httpx.Response(500, stream=Pieces(b'{"error": {"message": "down"}}'))


async def cut(_: httpx.Request) -> httpx.Response:
    return streamed(word("one "), word("two"))


async def hanging(_: httpx.Request) -> httpx.Response:
    await asyncio.Event().wait()
    raise AssertionError("never comes here")


class TestOpenAICompatibleProvider(ProviderContract):
    @pytest.fixture
    def harness(self) -> ProviderHarness:
        def over(handler: Callable[[httpx.Request], Awaitable[httpx.Response]]) -> OpenAICompatibleProvider:
            config = OpenAICompatibleConfig("custom", "http://provider.test/v1", "sk-test")
            return OpenAICompatibleProvider(config, httpx.MockTransport(handler))  # type: ignore[arg-type]

        return ProviderHarness(over(healthy), over(failing), over(cut), over(hanging))


Handler = Callable[[httpx.Request], Awaitable[httpx.Response]]


def played(reply: WireReply, *, last: int | None = None) -> httpx.Response:
    return httpx.Response(reply.status, headers=dict(reply.headers), stream=Pieces(*reply.pieces[:last]))


def healthy_wire(wire: Wire) -> Handler:
    """Answers checks and chats as that provider does."""
    said = Said(text="one two")

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, stream=Pieces(b'{"data": []}'))
        streamed = b'"stream":true' in request.content or "stream" in request.url.path.lower()
        return played(wire.stream(said, UPSTREAM_MODEL) if streamed else wire.whole(said, UPSTREAM_MODEL))

    return answer


def failing_wire(wire: Wire) -> Handler:
    async def answer(_: httpx.Request) -> httpx.Response:
        return played(wire.refusal(Refused(500, "down")))

    return answer


def cut_wire(wire: Wire) -> Handler:
    """Its streams lack their last event."""

    async def answer(_: httpx.Request) -> httpx.Response:
        return played(wire.stream(Said(text="one two"), UPSTREAM_MODEL), last=-1)

    return answer


class TestAnthropicProvider(ProviderContract):
    @pytest.fixture
    def harness(self) -> ProviderHarness:
        def over(handler: Handler) -> TranslatedProvider[bytes]:
            dialect = AnthropicDialect(AnthropicConfig("http://provider.test", "sk-ant-test"))
            return TranslatedProvider(dialect, httpx.MockTransport(handler), ManualClock())  # type: ignore[arg-type]

        wire = AnthropicWire()
        return ProviderHarness(
            over(healthy_wire(wire)),
            over(failing_wire(wire)),
            over(cut_wire(wire)),
            over(hanging),
            ANTHROPIC.supports,
        )


class TestGeminiProvider(ProviderContract):
    """And Vertex AI, which is the same but for its addresses and credentials."""

    @pytest.fixture
    def harness(self) -> ProviderHarness:
        def over(handler: Handler) -> TranslatedProvider[bytes]:
            dialect = GeminiDialect(GeminiConfig("http://provider.test", "key"))
            return TranslatedProvider(dialect, httpx.MockTransport(handler), ManualClock(), dialect)  # type: ignore[arg-type]

        wire = GeminiWire()
        chats = healthy_wire(wire)

        async def healthy_google(request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith(":batchEmbedContents"):
                return httpx.Response(200, stream=Pieces(b'{"embeddings": [{"values": [0.5]}]}'))
            return await chats(request)

        return ProviderHarness(
            over(healthy_google), over(failing_wire(wire)), over(cut_wire(wire)), over(hanging), GEMINI.supports
        )


class TestCohereProvider(ProviderContract):
    @pytest.fixture
    def harness(self) -> ProviderHarness:
        wire = CohereWire()
        chats = healthy_wire(wire)

        async def healthy_cohere(request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith("embed"):
                return httpx.Response(200, stream=Pieces(b'{"embeddings": {"float": [[0.5]]}}'))
            return await chats(request)

        def over(handler: Handler) -> TranslatedProvider[bytes]:
            dialect = CohereDialect(CohereConfig("co-test", "http://provider.test"))
            return TranslatedProvider(dialect, httpx.MockTransport(handler), ManualClock(), dialect)  # type: ignore[arg-type]

        return ProviderHarness(
            over(healthy_cohere),
            over(failing_wire(wire)),
            over(cut_wire(wire)),
            over(hanging),
            COHERE.supports,
        )


class TestEchoProvider(ProviderContract):
    @pytest.fixture
    def harness(self) -> ProviderHarness:
        class FrozenClock(ManualClock):
            async def sleep(self, _span_us: int) -> None:
                await asyncio.Event().wait()

        def echo(config: EchoConfig, clock: ManualClock | None = None) -> EchoProvider:
            return EchoProvider(config, clock or ManualClock(), SeededRandomness())

        return ProviderHarness(
            echo(EchoConfig()),
            echo(EchoConfig(fail_rate=1.0)),
            echo(EchoConfig(stop_after=2)),
            echo(EchoConfig(delay_us=1), FrozenClock()),
        )


class TestScriptedProvider(ProviderContract):
    @pytest.fixture
    def harness(self) -> ProviderHarness:
        broken = Failure(FailureKind.BROKEN_REPLY, "cut")
        return ProviderHarness(
            ScriptedProvider(),
            ScriptedProvider(otherwise=fails(FailureKind.SERVER_ERROR, status=500)),
            ScriptedProvider(otherwise=Act(failure=broken, chunks=2)),
            ScriptedProvider(deque([Act(hang=True)] * 2)),
        )
