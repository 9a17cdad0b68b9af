"""A provider without a network: it says what it was told. For first steps, demonstrations and tests."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Final

import httpx

from adapters.outbound.providers import echo_replies
from adapters.outbound.providers.capabilities import CHAT_PARAMETERS, Capabilities
from adapters.outbound.providers.echo_answer import Answer
from adapters.outbound.providers.failures import broken_reply, failure_of_reply
from adapters.outbound.providers.request_body import serialised
from application.ports.clock import Clock
from application.ports.provider import Call, ChunkStream, Provider
from application.ports.randomness import Randomness
from domain.chat import Chunk, Endpoint, Reply
from domain.failure import Failure, FailureKind, ProviderFailed
from domain.redaction import Redactor

_HEEDED: Final = frozenset({"n", "tool_choice", "tools", "max_tokens", "max_completion_tokens"})

CAPABILITIES: Final = Capabilities(
    "echo",
    native=frozenset({Endpoint.CHAT, Endpoint.COMPLETIONS, Endpoint.EMBEDDINGS}),
    translated=frozenset(),
    chat_fields=_HEEDED | {"messages"},
    # It says what it was told, however it is asked.
    unneeded=frozenset(CHAT_PARAMETERS) - _HEEDED,
)

_ERRORS: Final = range(400, 600)


@dataclass(frozen=True, slots=True)
class EchoConfig:
    """How the echo behaves.

    Attributes:
        delay_us: Before a whole reply; in a stream, before each chunk.
        fail_rate: Share of calls that fail, drawn once a call: 0 none, 1 all.
        fail_status: The HTTP status that they fail with.
        stop_after: Streams break after so many chunks; None: never.
    """

    delay_us: int = 0
    fail_rate: float = 0.0
    fail_status: int = 500
    stop_after: int | None = None

    def __post_init__(self) -> None:
        if self.delay_us < 0 or (self.stop_after is not None and self.stop_after < 0):
            raise ValueError("delay and stop_after of the echo must not be negative")
        if not 0 <= self.fail_rate <= 1:
            raise ValueError(f"fail_rate of the echo must be between 0 and 1, found {self.fail_rate}")
        if self.fail_status not in _ERRORS:
            raise ValueError(f"fail_status of the echo must be an error's status, found {self.fail_status}")


class EchoStream:
    """The chunks of one answer, one at a time."""

    def __init__(self, chunks: Iterator[Chunk], config: EchoConfig, clock: Clock) -> None:
        self._chunks = chunks
        self._config = config
        self._clock = clock
        self._sent = 0
        self._closed = False

    def __aiter__(self) -> AsyncIterator[tuple[Chunk, ...]]:
        return self

    async def __anext__(self) -> tuple[Chunk, ...]:
        if self._closed:
            raise StopAsyncIteration
        if self._sent == self._config.stop_after:
            self._closed = True
            raise ProviderFailed(broken_reply("the echo was told to stop"))
        for chunk in self._chunks:
            if self._config.delay_us:
                await self._clock.sleep(self._config.delay_us)
            self._sent += 1
            return (chunk,)
        self._closed = True
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Ends it."""
        self._closed = True


class EchoProvider:
    """Chat answers with the last user message, completions with the prompt, embeddings with a unit vector.

    Deterministic: the same request gives the same reply but for its id and time; each of `n` choices is the same. A
    function that `tool_choice` forces is called with `{}`.
    """

    def __init__(self, config: EchoConfig, clock: Clock, randomness: Randomness) -> None:
        self._config = config
        self._clock = clock
        self._randomness = randomness

    async def complete(self, call: Call) -> Reply:
        """The whole reply, for every endpoint."""
        self._maybe_fail()
        await self._delay()
        if call.request.endpoint is Endpoint.EMBEDDINGS:
            return self._embeddings(call)
        answer = Answer.to(call, self._clock.now_us())
        return Reply(serialised(answer.whole()), answer.usage)

    async def stream(self, call: Call) -> ChunkStream:
        """The opened stream; it opens at once."""
        self._maybe_fail()
        if call.request.endpoint is Endpoint.EMBEDDINGS:
            raise ProviderFailed(Failure(FailureKind.UNSUPPORTED, "embeddings have no stream", param="stream"))
        answer = Answer.to(call, self._clock.now_us())
        return EchoStream(answer.chunks(usage_wanted=call.request.stream_usage), self._config, self._clock)

    async def check(self) -> int | None:
        """None: it is always there, but for the calls that it was told to fail."""
        self._maybe_fail()
        return None

    async def _delay(self) -> None:
        if self._config.delay_us:
            await self._clock.sleep(self._config.delay_us)

    def _maybe_fail(self) -> None:
        if self._config.fail_rate and self._randomness.draw() < self._config.fail_rate:
            body = b'{"error":{"message":"the echo was told to fail","type":"echo_error"}}'
            raise ProviderFailed(failure_of_reply(self._config.fail_status, httpx.Headers(), body, Redactor()))

    def _embeddings(self, call: Call) -> Reply:
        fields = call.request.fields
        dimensions = fields.get("dimensions")
        if dimensions is None:
            dimensions = echo_replies.DEFAULT_DIMENSIONS
        if type(dimensions) is not int or not 1 <= dimensions <= echo_replies.MAX_DIMENSIONS:
            message = f"expected 'dimensions' to be an integer from 1 to {echo_replies.MAX_DIMENSIONS}"
            raise ProviderFailed(Failure(FailureKind.REQUEST_REFUSED, message, status=400, param="dimensions"))
        as_base64 = fields.get("encoding_format") == "base64"
        data = [
            {
                "object": "embedding",
                "index": index,
                "embedding": echo_replies.embedding(text, dimensions, as_base64=as_base64),
            }
            for index, text in enumerate(echo_replies.embedding_inputs(fields))
        ]
        counted = echo_replies.usage(fields, Endpoint.EMBEDDINGS, "")
        told = {"prompt_tokens": counted.input_tokens, "total_tokens": counted.input_tokens}
        document = {"object": "list", "data": data, "model": call.reply_model, "usage": told}
        return Reply(serialised(document), counted)


_conforms: type[Provider] = EchoProvider
_conforms_stream: type[ChunkStream] = EchoStream
