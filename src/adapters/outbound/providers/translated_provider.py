"""Every provider that speaks a dialect of its own: OpenAI's documents in and out, the provider's on the wire."""

from typing import Final, Generic, TypeVar

import httpx

from adapters.outbound.providers import completions_via_chat
from adapters.outbound.providers.chat_documents import ChatHead, json_of
from adapters.outbound.providers.dialect import Asked, CountingDialect, Dialect, EmbeddingDialect, Fields, Operation
from adapters.outbound.providers.exchange import Exchange, request_of
from adapters.outbound.providers.failures import broken_reply
from adapters.outbound.providers.mapped_stream import MappedStream
from adapters.outbound.providers.reply_body import MAX_REPLY_BYTES, parse_success
from adapters.outbound.providers.translated_stream import TranslatedStream
from application.ports.clock import Clock
from application.ports.provider import Call, ChunkStream, Provider
from domain.chat import Endpoint, Reply, Usage
from domain.failure import Failure, FailureKind, ProviderFailed

E = TypeVar("E")

_MAX_CHECK_BYTES: Final = 1 << 20
_MICROSECONDS: Final = 1_000_000
_MAXIMA: Final = ("max_completion_tokens", "max_tokens")


class TranslatedProvider(Generic[E]):
    """One instance of a provider whose dialect is not OpenAI's."""

    def __init__(
        self,
        dialect: Dialect[E],
        transport: httpx.AsyncBaseTransport,
        clock: Clock,
        embedding: EmbeddingDialect | None = None,
        counting: CountingDialect | None = None,
    ) -> None:
        """`embedding`: where it has embeddings, which its capabilities must say, too. `counting`: where it counts."""
        self._dialect = dialect
        self._embedding = embedding
        self._counting = counting
        self._clock = clock
        self._exchange = Exchange(transport, dialect.redactor, dialect.failure_of_reply)

    async def complete(self, call: Call) -> Reply:
        """The whole reply, for every endpoint that it has."""
        if call.request.endpoint is Endpoint.EMBEDDINGS:
            document, usage = await self._embed(call)
        else:
            operation = self._dialect.chat(self._asked(call))
            document, usage = self._dialect.completion(await self._whole(call, operation), self._head(call))
            if call.request.endpoint is Endpoint.COMPLETIONS:
                document = completions_via_chat.completion(document)
        return Reply(json_of(document), usage)

    async def stream(self, call: Call) -> ChunkStream:
        """The opened stream."""
        operation = self._dialect.chat(self._asked(call))
        response = await self._exchange.send(await self._request(call, operation, stream=True))
        if response.headers.get("content-type", "").startswith("application/json"):
            parse_success(await self._exchange.read(response, MAX_REPLY_BYTES), self._dialect.redactor)
            raise ProviderFailed(broken_reply("the provider answered a stream request with a whole reply"))
        usage_wanted = call.request.stream_usage
        translation = self._dialect.translation(self._head(call), usage_wanted=usage_wanted)
        stream = TranslatedStream(response, self._dialect.parser(), translation)
        if call.request.endpoint is Endpoint.COMPLETIONS:
            return MappedStream(stream, completions_via_chat.completion_chunk)
        return stream

    async def prompt_tokens(self, call: Call) -> int | None:
        """How long a chat's prompt is by the provider's own count; None where it does not count that model's."""
        operation = None if self._counting is None else self._counting.count(self._asked(call))
        if self._counting is None or operation is None:
            return None
        counted = self._counting.counted(await self._whole(call, operation))
        if type(counted) is not int:
            raise ProviderFailed(broken_reply("the provider's reply has no number of tokens"))
        return counted

    async def check(self) -> int | None:
        """The status of an answer that costs nothing; what it says is read and forgotten."""
        operation = self._dialect.check()
        headers = await self._dialect.headers(operation, stream=False)
        request = httpx.Request(operation.method, operation.url, headers=headers, content=operation.body)
        response = await self._exchange.send(request)
        await self._exchange.read(response, _MAX_CHECK_BYTES)
        return response.status_code

    async def _embed(self, call: Call) -> tuple[dict[str, object], Usage | None]:
        if self._embedding is None:
            raise self._has_no(Endpoint.EMBEDDINGS)
        fields = {name: value for name, value in call.request.fields.items() if value is not None}
        asked = Asked(fields, call.upstream_model, drop_params=call.drop_params)
        document = await self._whole(call, self._embedding.embeddings(asked))
        return self._embedding.embedded(document, asked, call.reply_model)

    def _asked(self, call: Call) -> Asked:
        request, capabilities = call.request, self._dialect.capabilities
        if request.endpoint not in capabilities.supports:
            raise self._has_no(request.endpoint)
        fields: Fields = request.fields
        if request.endpoint is Endpoint.COMPLETIONS:
            fields = completions_via_chat.chat_fields(fields, capabilities.name, drop_params=call.drop_params)
        own = next((fields[name] for name in _MAXIMA if fields.get(name) is not None), None)
        rest = {name: value for name, value in fields.items() if name not in _MAXIMA}
        return Asked(
            capabilities.honoured(rest, drop_params=call.drop_params),
            call.upstream_model,
            stream=request.stream,
            max_tokens=call.max_output_tokens if own is None else own,
            drop_params=call.drop_params,
        )

    async def _whole(self, call: Call, operation: Operation) -> dict[str, object]:
        response = await self._exchange.send(await self._request(call, operation, stream=False))
        return parse_success(await self._exchange.read(response, MAX_REPLY_BYTES), self._dialect.redactor)

    async def _request(self, call: Call, operation: Operation, *, stream: bool) -> httpx.Request:
        headers = await self._dialect.headers(operation, stream=stream)
        return request_of(call, operation.url, tuple(headers), operation.body or b"", method=operation.method)

    def _head(self, call: Call) -> ChatHead:
        now_s = self._clock.now_us() // _MICROSECONDS
        return ChatHead(f"chatcmpl-{call.request_id}", now_s, call.reply_model)

    def _has_no(self, endpoint: Endpoint) -> ProviderFailed:
        message = f"{self._dialect.capabilities.name} has no {endpoint.value}"
        return ProviderFailed(Failure(FailureKind.UNSUPPORTED, message))


_conforms: type[Provider] = TranslatedProvider
