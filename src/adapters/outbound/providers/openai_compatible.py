"""Every provider that speaks OpenAI's dialect."""

from typing import Final

import httpx

from adapters.outbound.providers import completions_via_chat
from adapters.outbound.providers.exchange import Exchange, request_of
from adapters.outbound.providers.failures import broken_reply
from adapters.outbound.providers.forwarding.forwarder import Forwarder
from adapters.outbound.providers.openai_chunks import ChunkRelay
from adapters.outbound.providers.openai_config import OpenAICompatibleConfig
from adapters.outbound.providers.openai_responses import ResponseEventStream, ResponseRelay, response_reply
from adapters.outbound.providers.openai_stream import OpenAIChunkStream
from adapters.outbound.providers.reply_body import MAX_REPLY_BYTES, as_reply, parse_success
from adapters.outbound.providers.request_body import (
    adapted_fields,
    bounded,
    expected_choices,
    outgoing_body,
    serialised,
    serialised_body,
)
from adapters.outbound.providers.responses_via_chat.foreign_items import without_own
from application.ports.provider import Call, ChunkStream, Provider
from domain.chat import Endpoint, Reply
from domain.failure import Failure, FailureKind, ProviderFailed

# What is read to its end leaves a connection that the next request can use; a longer list is not worth it.
_MAX_CHECK_BYTES: Final = 1 << 20


class OpenAICompatibleProvider:
    """One instance of `openai`, `azure`, `custom`, `ollama`, `vllm`, `mistral`, `groq` or `openrouter`."""

    def __init__(self, config: OpenAICompatibleConfig, transport: httpx.AsyncBaseTransport) -> None:
        self._config = config
        self._preset = config.rules
        self._redactor = config.redactor()
        self._exchange = Exchange(transport, self._redactor)
        self._json_headers = config.request_headers("application/json")
        self._stream_headers = config.request_headers("text/event-stream")
        self._urls: dict[tuple[Endpoint, str], httpx.URL] = {}
        self._forwarder = Forwarder(self._exchange, self._redactor, self._url, config.request_headers)

    async def complete(self, call: Call) -> Reply:
        """The whole reply, for every endpoint."""
        endpoint = self._native(call.request.endpoint)
        if endpoint.is_forwarded:
            return await self._forwarder.complete(call)
        request = self._request(call, endpoint, self._json_headers, self._body(call, endpoint, ask_usage=False))
        response = await self._exchange.send(request)
        body = await self._exchange.read(response, MAX_REPLY_BYTES)
        if endpoint is Endpoint.RESPONSES:
            return response_reply(body, self._redactor, call.reply_model)
        document = parse_success(body, self._redactor)
        if endpoint is not call.request.endpoint:
            body = completions_via_chat.completion_body({**document, "model": call.reply_model})
        return as_reply(body or b"", document, endpoint, call.reply_model)

    async def stream(self, call: Call) -> ChunkStream:
        """The opened stream."""
        endpoint = self._native(call.request.endpoint)
        if endpoint.is_forwarded:
            return await self._forwarder.stream(call)
        body = self._body(call, endpoint, ask_usage=self._asks_usage(call))
        response = await self._exchange.send(self._request(call, endpoint, self._stream_headers, body))
        if response.headers.get("content-type", "").startswith("application/json"):
            parse_success(await self._exchange.read(response, MAX_REPLY_BYTES), self._redactor)
            raise ProviderFailed(broken_reply("the provider answered a stream request with a whole reply"))
        if endpoint is Endpoint.RESPONSES:
            return ResponseEventStream(response, ResponseRelay(call.reply_model, self._redactor))
        relay = ChunkRelay(
            call.reply_model,
            self._redactor,
            choices=expected_choices(call.request.fields),
            usage_wanted=call.request.stream_usage,
            translate=completions_via_chat.completion_body if endpoint is not call.request.endpoint else None,
        )
        return OpenAIChunkStream(response, relay)

    async def check(self) -> int | None:
        """The status of the answer to a question for its models; the list itself is read and forgotten."""
        response = await self._exchange.send(httpx.Request("GET", self._config.check_url(), headers=self._json_headers))
        await self._exchange.read(response, _MAX_CHECK_BYTES)
        return response.status_code

    def _native(self, endpoint: Endpoint) -> Endpoint:
        if endpoint in self._config.native or endpoint in self._preset.forwards:
            return endpoint
        if endpoint is Endpoint.COMPLETIONS and self._preset.completions_via_chat:
            return Endpoint.CHAT
        raise ProviderFailed(Failure(FailureKind.UNSUPPORTED, f"{self._preset.name} has no {endpoint.value}"))

    def _asks_usage(self, call: Call) -> bool:
        if call.request.endpoint is Endpoint.RESPONSES:
            return False
        return not call.request.stream_usage and self._config.asks_stream_usage(call.request.fields)

    def _body(self, call: Call, endpoint: Endpoint, *, ask_usage: bool) -> bytes:
        request = call.request
        maximum = self._preset.maximum_of(endpoint)
        body, fields = bounded(request, call.max_output_tokens, maximum)
        if endpoint is Endpoint.RESPONSES and (kept := without_own(fields)) is not fields:
            body, fields = serialised(kept), kept
        if endpoint is request.endpoint:
            return outgoing_body(
                body,
                fields,
                call.upstream_model,
                preset=self._preset,
                ask_usage=ask_usage,
                drop_params=call.drop_params,
            )
        fields = completions_via_chat.chat_fields(fields, self._preset.name, drop_params=call.drop_params)
        fields = adapted_fields(fields, self._preset, drop_params=call.drop_params)
        return serialised_body(fields, call.upstream_model, ask_stream_usage=ask_usage)

    def _request(
        self, call: Call, endpoint: Endpoint, headers: tuple[tuple[bytes, bytes], ...], body: bytes
    ) -> httpx.Request:
        return request_of(call, self._url(endpoint, call.upstream_model), headers, body)

    def _url(self, endpoint: Endpoint, upstream_model: str) -> httpx.URL:
        where = (endpoint, upstream_model)
        url = self._urls.get(where)
        if url is None:
            url = self._urls[where] = self._config.url(*where)
        return url


_conforms: type[Provider] = OpenAICompatibleProvider
