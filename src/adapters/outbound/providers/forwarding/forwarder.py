"""Endpoints that a provider has as they are: only the model's name changes on the way there and back."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import httpx

from adapters.outbound.providers.exchange import Exchange, request_of
from adapters.outbound.providers.failures import broken_reply
from adapters.outbound.providers.forwarding.media_streams import EventStream, SoundStream, WholeStream
from adapters.outbound.providers.forwarding.media_types import EVENTS, JSON, SOUNDS, TEXTS, content_type, media_type
from adapters.outbound.providers.forwarding.multipart import MultipartBody
from adapters.outbound.providers.forwarding.work_done import work_done
from adapters.outbound.providers.reply_body import MAX_REPLY_BYTES, parse_success
from adapters.outbound.providers.request_body import spliced_body
from adapters.outbound.providers.splicing import with_model
from application.ports.provider import Call, MediaStream
from domain.chat import Chunk, Endpoint, Reply
from domain.failure import ProviderFailed
from domain.redaction import Redactor

Headers = Sequence[tuple[bytes, bytes]]

_HEARD: Final = frozenset({Endpoint.TRANSCRIPTIONS, Endpoint.TRANSLATIONS})
_CONSISTS_OF: Final[Mapping[Endpoint, tuple[str, type]]] = MappingProxyType(
    {
        Endpoint.MODERATIONS: ("results", list),
        Endpoint.IMAGES: ("data", list),
        Endpoint.RERANK: ("results", list),
        Endpoint.TRANSCRIPTIONS: ("text", str),
        Endpoint.TRANSLATIONS: ("text", str),
    }
)


class Forwarder:
    """Sends such requests of one instance."""

    def __init__(
        self,
        exchange: Exchange,
        redactor: Redactor,
        url: Callable[[Endpoint, str], httpx.URL],
        headers: Callable[[str], Headers],
    ) -> None:
        """`url` says where an endpoint of a model is; `headers`, with what it accepts, goes along."""
        self._exchange = exchange
        self._redactor = redactor
        self._url = url
        self._headers = headers

    async def complete(self, call: Call) -> Reply:
        """The whole reply: JSON, or a transcript as plain text."""
        endpoint = call.request.endpoint
        response = await self._exchange.send(self._request(call, "*/*" if endpoint in _HEARD else JSON))
        kind = media_type(response)
        body = await self._exchange.read(response, MAX_REPLY_BYTES)
        if endpoint in _HEARD and kind in TEXTS:
            return _text_reply(response, body)
        return self._json_reply(call, body)

    async def stream(self, call: Call) -> MediaStream:
        """The opened stream, of whatever kind the provider answers with."""
        response = await self._exchange.send(self._request(call, "*/*"))
        kind = media_type(response)
        if kind == EVENTS:
            return EventStream(response, f"{EVENTS}; charset=utf-8", call.request, self._redactor)
        if kind in SOUNDS and call.request.endpoint is Endpoint.SPEECH:
            return SoundStream(response, content_type(response))
        if kind == JSON or (kind in TEXTS and call.request.endpoint in _HEARD):
            body = await self._exchange.read(response, MAX_REPLY_BYTES)
            reply = self._json_reply(call, body) if kind == JSON else _text_reply(response, body)
            return WholeStream(reply.content_type, Chunk(reply.body, usage=reply.usage))
        await response.aclose()
        raise ProviderFailed(broken_reply("the provider answered with another kind of content than was asked for"))

    def _json_reply(self, call: Call, body: bytes | None) -> Reply:
        document = parse_success(body, self._redactor)
        name, kind = _CONSISTS_OF.get(call.request.endpoint, ("", object))
        if name and not isinstance(document.get(name), kind):
            raise ProviderFailed(broken_reply(f"the provider's reply has no {name}"))
        body = body or b""
        if "model" in document:
            body = with_model(body, document, call.reply_model)
        return Reply(body, work_done(document, call.request))

    def _request(self, call: Call, accept: str) -> httpx.Request:
        request, headers = call.request, self._headers(accept)
        url = self._url(request.endpoint, call.upstream_model)
        if request.form is None:
            body = spliced_body(request.body, request.fields, call.upstream_model, ask_stream_usage=False)
            return request_of(call, url, headers, body)
        form = MultipartBody(request.form, call.upstream_model, call.request_id)
        own = [pair for pair in headers if pair[0] != b"content-type"]
        own += [(b"content-type", form.content_type.encode()), (b"content-length", b"%d" % form.size_bytes)]
        return request_of(call, url, own, form)


def _text_reply(response: httpx.Response, body: bytes | None) -> Reply:
    if body is None:
        raise ProviderFailed(broken_reply(f"the provider's reply is larger than {MAX_REPLY_BYTES} bytes"))
    return Reply(body, None, content_type(response))
