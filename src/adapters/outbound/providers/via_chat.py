"""Clients' dialects that a provider has not, spoken to its chat."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

from adapters.outbound.providers.chat_documents import json_of
from adapters.outbound.providers.reply_body import parse_object
from adapters.outbound.providers.request_body import serialised
from application.ports.provider import Call, ChunkStream, Provider
from domain.chat import Chunk, Endpoint, LlmRequest, Reply
from domain.failure import ProviderFailed

Fields = Mapping[str, Any]

_MAXIMA: Final = frozenset({"max_tokens", "max_completion_tokens"})
_SIGN_OF_LIFE: Final = (Chunk(b"", content=False, visible=False),)


class ChunkTranslation(Protocol):
    """The chunks of one chat completion, told in order, as the events of another dialect. It has no I/O."""

    def chunks(self, chunk: Chunk) -> Sequence[Chunk]:
        """What the chunk means; nothing for a mere sign of life. Sees invisible chunks, too: those tell the usage.

        Exactly one chunk of the stream must carry the usage, where there was any.
        """
        ...

    def finish(self) -> Sequence[Chunk]:
        """What the end of the stream means."""
        ...


class ChatDialect(Protocol):
    """A dialect in words of chat, both ways; pure."""

    def chat_fields(self, request: LlmRequest, provider: str, *, drop_params: bool) -> dict[str, object]:
        """The chat request that asks for what `request` asks for.

        `stream` is added by the caller, and the maximum of output, where it is not there.

        Raises:
            ProviderFailed: UNSUPPORTED, naming a field of `request` that chat cannot express.
        """
        ...

    def reply(self, completion: Fields, call: Call) -> dict[str, object]:
        """The chat completion in this dialect's words."""
        ...

    def translation(self, call: Call) -> ChunkTranslation:
        """For one stream."""
        ...


def as_chat(call: Call, dialect: ChatDialect, provider: str) -> Call:
    """The call for the same in words of chat. `provider`: its name, for refusals."""
    fields = dialect.chat_fields(call.request, provider, drop_params=call.drop_params)
    if call.request.stream:
        fields["stream"] = True
    fields["model"] = call.request.model
    # Usage is not asked for here: the provider asks for it itself, in its own way, and hides it.
    request = replace(call.request, endpoint=Endpoint.CHAT, body=serialised(fields), fields=fields, stream_usage=False)
    # The adapter knows under which name a maximum is sent, where the dialect has not named it.
    unnamed = request.max_output_tokens if _MAXIMA.isdisjoint(fields) else None
    return replace(call, request=request, max_output_tokens=unnamed or call.max_output_tokens)


class ViaChat:
    """A provider that also serves what it has only chat for."""

    def __init__(self, inner: Provider, name: str, dialects: Mapping[Endpoint, ChatDialect]) -> None:
        """`name`: the provider's, for refusals. `dialects`: for the endpoints that `inner` has not."""
        self._inner = inner
        self._name = name
        self._dialects = dialects

    async def complete(self, call: Call) -> Reply:
        """The whole reply, for every endpoint."""
        dialect = self._dialects.get(call.request.endpoint)
        if dialect is None:
            return await self._inner.complete(call)
        reply = await self._inner.complete(as_chat(call, dialect, self._name))
        return Reply(json_of(dialect.reply(parse_object(reply.body), call)), reply.usage)

    async def stream(self, call: Call) -> ChunkStream:
        """The opened stream."""
        dialect = self._dialects.get(call.request.endpoint)
        if dialect is None:
            return await self._inner.stream(call)
        inner = await self._inner.stream(as_chat(call, dialect, self._name))
        return ViaChatStream(inner, dialect.translation(call))

    async def check(self) -> int | None:
        """As the provider's own."""
        return await self._inner.check()


class ViaChatStream:
    """A chat completion's stream in other words."""

    __slots__ = ("_failure", "_finished", "_inner", "_translation")

    def __init__(self, inner: ChunkStream, translation: ChunkTranslation) -> None:
        self._inner = inner
        self._translation = translation
        self._finished = False
        self._failure: ProviderFailed | None = None

    def __aiter__(self) -> AsyncIterator[tuple[Chunk, ...]]:
        return self

    async def __anext__(self) -> tuple[Chunk, ...]:
        if self._finished:
            raise StopAsyncIteration
        if self._failure is not None:
            await self.aclose()
            raise self._failure
        translation = self._translation
        try:
            batch = await anext(self._inner)
        except StopAsyncIteration:
            self._finished = True
            last = tuple(translation.finish())
            if not last:
                raise
            return last
        told: list[Chunk] = []
        try:
            for chunk in batch:
                if chunk.data:
                    told += translation.chunks(chunk)
        except ProviderFailed as failed:
            # What came before it is the client's still.
            self._failure = failed
        return tuple(told) or _SIGN_OF_LIFE

    async def aclose(self) -> None:
        """Closes the other one."""
        self._finished = True
        await self._inner.aclose()


_conforms: type[Provider] = ViaChat
_conforms_stream: type[ChunkStream] = ViaChatStream
