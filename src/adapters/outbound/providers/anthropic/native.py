"""Anthropic's own Messages API for clients of it: their bytes, with another name for the model."""

from typing import Final

import httpx

from adapters.outbound.providers.anthropic.config import AnthropicConfig
from adapters.outbound.providers.anthropic.errors import failure_of_reply
from adapters.outbound.providers.anthropic.foreign_turns import acceptable
from adapters.outbound.providers.anthropic.native_stream import NativeEvents
from adapters.outbound.providers.anthropic.reply import usage_of
from adapters.outbound.providers.exchange import Exchange, request_of
from adapters.outbound.providers.failures import broken_reply
from adapters.outbound.providers.reply_body import MAX_REPLY_BYTES, parse_success
from adapters.outbound.providers.request_body import serialised
from adapters.outbound.providers.splicing import with_model
from adapters.outbound.providers.sse import SseParser
from adapters.outbound.providers.translated_stream import TranslatedStream
from application.ports.provider import Call, ChunkStream, Provider
from domain.chat import Endpoint, Reply, Usage
from domain.failure import ProviderFailed

Headers = tuple[tuple[bytes, bytes], ...]

_BETA: Final = b"anthropic-beta"


class AnthropicProvider:
    """One instance: what clients of Anthropic ask goes through, all else by translation."""

    def __init__(self, config: AnthropicConfig, transport: httpx.AsyncBaseTransport, translated: Provider) -> None:
        """`translated` serves OpenAI's endpoints."""
        self._translated = translated
        self._redactor = config.redactor()
        self._exchange = Exchange(transport, self._redactor, failure_of_reply)
        self._json_headers = config.request_headers("application/json")
        self._stream_headers = config.request_headers("text/event-stream")
        self._messages = config.url("messages")
        self._count = config.url("messages/count_tokens")

    async def complete(self, call: Call) -> Reply:
        """The whole reply, for every endpoint that it has."""
        match call.request.endpoint:
            case Endpoint.MESSAGES:
                return await self._whole(call)
            case Endpoint.COUNT_TOKENS:
                return await self._counted(call)
            case _:
                return await self._translated.complete(call)

    async def stream(self, call: Call) -> ChunkStream:
        """The opened stream."""
        if call.request.endpoint is not Endpoint.MESSAGES:
            return await self._translated.stream(call)
        response = await self._exchange.send(self._request(call, self._messages, self._stream_headers))
        if response.headers.get("content-type", "").startswith("application/json"):
            parse_success(await self._exchange.read(response, MAX_REPLY_BYTES), self._redactor)
            raise ProviderFailed(broken_reply("the provider answered a stream request with a whole reply"))
        return TranslatedStream(response, SseParser(), NativeEvents(call.reply_model, self._redactor))

    async def check(self) -> int | None:
        """The status of an answer that costs nothing."""
        return await self._translated.check()

    async def _whole(self, call: Call) -> Reply:
        body, document = await self._asked(call, self._messages)
        if not isinstance(document.get("content"), list):
            raise ProviderFailed(broken_reply("the provider's reply has no list of content blocks"))
        return Reply(with_model(body, document, call.reply_model), usage_of(document.get("usage")))

    async def _counted(self, call: Call) -> Reply:
        """Counting is free."""
        body, document = await self._asked(call, self._count)
        if type(document.get("input_tokens")) is not int:
            raise ProviderFailed(broken_reply("the provider's reply has no number of tokens"))
        return Reply(body, Usage(0, 0))

    async def _asked(self, call: Call, url: httpx.URL) -> tuple[bytes, dict[str, object]]:
        response = await self._exchange.send(self._request(call, url, self._json_headers))
        body = await self._exchange.read(response, MAX_REPLY_BYTES)
        return body or b"", parse_success(body, self._redactor)

    def _request(self, call: Call, url: httpx.URL, headers: Headers) -> httpx.Request:
        request = call.request
        fields = acceptable(request.fields)
        if fields is request.fields and "model" in fields:
            body = with_model(request.body, fields, call.upstream_model)
        else:
            body = serialised({**fields, "model": call.upstream_model})
        return request_of(call, url, _with_betas(headers, request.betas) if request.betas else headers, body)


def _with_betas(headers: Headers, betas: tuple[str, ...]) -> Headers:
    """The client's beside those of the instance."""
    own = [value.decode("latin-1") for name, value in headers if name.lower() == _BETA]
    told = dict.fromkeys(name.strip() for part in (*own, *betas) for name in part.split(","))
    rest = tuple(pair for pair in headers if pair[0].lower() != _BETA)
    return (*rest, (_BETA, ",".join(told).encode("latin-1")))


_conforms: type[Provider] = AnthropicProvider
