"""Every type of provider: its whole replies, its streams, its refusals, for each endpoint that it serves."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Final

import httpx
from pydantic import TypeAdapter

from adapters.inbound.http.errors import InvalidJson
from adapters.inbound.http.schemas import parse_llm_request
from adapters.testing.doubles import SeededRandomness
from adapters.testing.virtual_time import ManualClock
from application.errors import InvalidRequest, UnsupportedOperation
from application.ports.provider import Call, Provider
from bootstrap.provider_wiring import configured_providers
from bootstrap.settings.providers import AnyProviderSettings, ProviderSettings
from domain.chat import Chunk, Endpoint, Usage
from domain.failure import Failure, FailureKind, ProviderFailed
from domain.identifiers import InstanceId
from tests.fuzz.samples import refusals, streams, wholes
from tests.fuzz.target import Target, every_way, finished, pieces, way
from tests.fuzz.targets.requests import BODIES
from tests.integration.providers.calls import REQUEST_ID, call
from tests.wires.event_stream import message

_MODEL: Final = "mine"
_TURN: Final = [{"role": "user", "content": "Hi"}]
_FIELDS: Final[Mapping[Endpoint, dict[str, object]]] = {
    Endpoint.CHAT: {"messages": _TURN},
    Endpoint.COMPLETIONS: {"prompt": "Hi"},
    Endpoint.MESSAGES: {"messages": _TURN, "max_tokens": 9},
    Endpoint.RESPONSES: {"input": "Hi"},
    Endpoint.EMBEDDINGS: {"input": "Hi"},
}
_STREAMED: Final = (Endpoint.CHAT, Endpoint.COMPLETIONS, Endpoint.MESSAGES, Endpoint.RESPONSES)
_ASKED: Final = (*((endpoint, False) for endpoint in _STREAMED), (Endpoint.CHAT, True), (Endpoint.COMPLETIONS, True))
_JSON: Final = [(b"content-type", b"application/json")]
_EVENTS: Final = [(b"content-type", b"text/event-stream")]
_ASKED_BY_CLIENTS: Final = tuple((endpoint, drops) for endpoint in _FIELDS for drops in (False, True))
_STATUSES: Final = (302, 400, 401, 403, 404, 413, 429, 500, 503)
_KEYS: Final[Mapping[str, dict[str, object]]] = {
    "openai": {},
    "huggingface": {},
    "anthropic": {},
    "bedrock": {"region": "eu-central-1"},
    "gemini": {},
    "vertex": {"project": "p", "location": "global"},
    "cohere": {},
}
_RELAYED: Final = frozenset(
    {
        *(("openai", endpoint) for endpoint in _FIELDS),
        ("huggingface", Endpoint.CHAT),
        ("anthropic", Endpoint.MESSAGES),
    }
)
_MOST_TOKENS: Final = 2**53
_LIFE: Final = Chunk(b"", content=False, visible=False)


class _Pieces(httpx.AsyncByteStream):
    def __init__(self, reads: list[bytes]) -> None:
        self._reads = reads

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for read in self._reads:
            yield read


class _Upstream(httpx.AsyncBaseTransport):
    """Answers with whatever was laid down last; keeps what it was asked last."""

    def __init__(self) -> None:
        self.heard = b""
        self.answers(200, _JSON, [b""])

    def answers(self, status: int, headers: list[tuple[bytes, bytes]], reads: list[bytes]) -> None:
        self.status, self.headers, self.reads = status, headers, reads

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.heard = request.content
        return httpx.Response(self.status, headers=self.headers, stream=_Pieces(self.reads))


@dataclass(frozen=True, slots=True)
class _Wired:
    provider: Provider
    upstream: _Upstream


@cache
def _wired(kind: str) -> _Wired:
    upstream = _Upstream()
    adapter: TypeAdapter[AnyProviderSettings] = TypeAdapter(ProviderSettings)
    settings = {"type": kind, "model": "theirs", "api_key": "sk-of-the-instance", "base_url": "https://up.test/v1"}
    made = {InstanceId("it"): adapter.validate_python(settings | _KEYS[kind])}
    provider = configured_providers(made, upstream, ManualClock(), SeededRandomness()).find(InstanceId("it"))
    assert provider is not None
    return _Wired(provider, upstream)


@cache
def _call(endpoint: Endpoint, *, stream: bool, usage: bool = False) -> Call:
    more: dict[str, object] = {"stream": True} if stream else {}
    if usage:
        more["stream_options"] = {"include_usage": True}
    made = call({"model": _MODEL, **_FIELDS[endpoint], **more}, endpoint=endpoint)
    return replace(made, request=replace(made.request, input_tokens=3, most_input_tokens=50))


def _believable(usage: Usage | None) -> None:
    if usage is not None:
        counts = (usage.input_tokens, usage.output_tokens, usage.cached_input_tokens)
        assert all(type(count) is int and 0 <= count <= 2 * _MOST_TOKENS for count in counts), usage
        assert usage.cached_input_tokens <= usage.input_tokens, usage


def _endpoints(kind: str) -> tuple[Endpoint, ...]:
    return _STREAMED if kind == "anthropic" else (*_STREAMED, Endpoint.EMBEDDINGS)


def _whole(kind: str, data: bytes) -> None:
    wired = _wired(kind)
    endpoint, body = way(data, _endpoints(kind))
    wired.upstream.answers(200, _JSON, [body])
    try:
        reply = finished(wired.provider.complete(_call(endpoint, stream=False)))
    except ProviderFailed as failed:
        _told(failed.failure)
        return
    document = json.loads(reply.body)
    assert isinstance(document, dict)
    assert document.get("model", _MODEL) == _MODEL
    _believable(reply.usage)


def _asked(kind: str, data: bytes) -> None:
    """A client's request in the provider's words."""
    wired = _wired(kind)
    (endpoint, drop_params), body = way(data, _ASKED_BY_CLIENTS)
    try:
        request = parse_llm_request(endpoint, body)
    except (InvalidJson, InvalidRequest, UnsupportedOperation):
        return
    made = Call(REQUEST_ID, replace(request, stream=False), request.model, "theirs", drop_params, max_output_tokens=9)
    wired.upstream.answers(500, _JSON, [b"{}"])
    try:
        finished(wired.provider.complete(made))
    except ProviderFailed as failed:
        _told(failed.failure)
        if failed.failure.kind is FailureKind.SERVER_ERROR:
            assert isinstance(json.loads(wired.upstream.heard), dict)
        return
    raise AssertionError("a reply with status 500 passed for a success")


def _refused(kind: str, data: bytes) -> None:
    wired = _wired(kind)
    status, rest = way(data, _STATUSES)
    head, _, body = rest.partition(b"\n\n")
    media = b"application/json" if len(head) % 2 else b"text/plain"
    headers = [(b"content-type", media), (b"retry-after", head), (b"x-amzn-errortype", head)]
    wired.upstream.answers(status, headers, [body])
    try:
        finished(wired.provider.complete(_call(Endpoint.CHAT, stream=False)))
    except ProviderFailed as failed:
        _told(failed.failure)
        return
    raise AssertionError(f"a reply with status {status} passed for a success")


def _told(failure: Failure) -> None:
    assert failure.message
    assert "sk-of-the-instance" not in failure.message
    assert failure.status is None or 100 <= failure.status < 600
    assert failure.retry_after_us is None or 0 <= failure.retry_after_us <= 7 * 24 * 3_600_000_000


def _streamed(kind: str, data: bytes) -> None:
    (endpoint, usage), body = way(data, _ASKED)
    asked = _call(endpoint, stream=True, usage=usage)
    if kind == "bedrock":
        body = _framed(body)
    whole = finished(_heard(kind, asked, [body]))
    assert whole == finished(_heard(kind, asked, pieces(body)))
    for chunk in whole[0]:
        _believable(chunk.usage)
        # What a provider itself has in the client's dialect is relayed mostly unread.
        if (kind, endpoint) not in _RELAYED:
            assert isinstance(json.loads(chunk.data), dict)


def _framed(body: bytes) -> bytes:
    """Lines as messages of AWS's event stream with the checksums that belong to them: a name, a space, a document."""
    lines = (line.partition(b" ") for line in body.split(b"\n"))
    return b"".join(_message(name.decode("latin-1"), payload) for name, _, payload in lines)


def _message(name: str, payload: bytes) -> bytes:
    kind = "exception" if name.endswith("Exception") else "event"
    return message({f":{kind}-type": name[:40], ":message-type": kind}, payload)


async def _heard(kind: str, asked: Call, reads: list[bytes]) -> tuple[list[Chunk], Failure | None]:
    """All chunks but mere signs of life, and what went wrong."""
    wired = _wired(kind)
    wired.upstream.answers(200, _EVENTS, reads)
    chunks: list[Chunk] = []
    try:
        stream = await wired.provider.stream(asked)
        async for batch in stream:
            assert batch
            chunks += [chunk for chunk in batch if chunk != _LIFE]
    except ProviderFailed as failed:
        _told(failed.failure)
        return chunks, failed.failure
    return chunks, None


def _seeds_of_whole(kind: str) -> list[bytes]:
    return every_way(_endpoints(kind), wholes(kind))


def _seeds_of_asking() -> list[bytes]:
    return every_way(_ASKED_BY_CLIENTS, BODIES)


def _seeds_of_stream(kind: str) -> list[bytes]:
    return every_way(_ASKED, streams(kind))


def _seeds_of_refusals(kind: str) -> list[bytes]:
    return every_way(_STATUSES, [b"3\n\n" + body for body in refusals(kind)])


def provider_targets() -> dict[str, Target]:
    """Three of each type."""
    targets: dict[str, Target] = {}
    for kind in _KEYS:
        targets[f"{kind}-whole"] = Target(partial(_whole, kind), partial(_seeds_of_whole, kind))
        targets[f"{kind}-asking"] = Target(partial(_asked, kind), _seeds_of_asking)
        targets[f"{kind}-stream"] = Target(partial(_streamed, kind), partial(_seeds_of_stream, kind), longest=2048)
        targets[f"{kind}-refusal"] = Target(partial(_refused, kind), partial(_seeds_of_refusals, kind), longest=512)
    return targets
