"""Gemini and Vertex AI behind a transport: what is sent where, with which credential, and what comes of the answers."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from adapters.testing.virtual_time import ManualClock
from application.ports.provider import Provider
from bootstrap.settings.providers import GeminiProvider, VertexProvider
from bootstrap.translated_providers import translated_provider
from domain.chat import Endpoint, Usage
from domain.failure import FailureKind, ProviderFailed
from tests.integration.providers.calls import call, stream_call
from tests.integration.providers.upstream import Pieces, drain
from tests.wires.gemini import KEY, GeminiWire
from tests.wires.google_tokens import service_account, token_endpoint
from tests.wires.vertex import VertexWire
from tests.wires.wire import Refused, Said, ToolCall, Wire, WireReply, WireRequest

BASE = "https://upstream.test"
TOKEN_URI = "https://tokens.test/token"
MODEL = "gemini-3-flash"
SAID = Said("Zürich ☀️", "Hm.", (ToolCall("id-1", "look", {"a": "ü"}),), "tool_calls", cached_tokens=4)


def provider_of(
    settings: GeminiProvider | VertexProvider, transport: httpx.AsyncBaseTransport, clock: ManualClock
) -> Provider:
    provider = translated_provider(settings, transport, clock)
    assert provider is not None
    return provider


class Google:
    """The provider and its token endpoint: answers in order, the last one for ever."""

    def __init__(self, *replies: WireReply, token_status: int = 200) -> None:
        self._replies = list(replies)
        self.token_status = token_status
        self.token_error: Exception | None = None
        self.requests: list[WireRequest] = []
        self.token_requests: list[httpx.Request] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "tokens.test":
            self.token_requests.append(request)
            await asyncio.sleep(0)
            if self.token_error is not None:
                raise self.token_error
            body = (
                token_endpoint().answer(request.content) if self.token_status == 200 else b'{"error":"invalid_grant"}'
            )
            headers = {"content-type": "application/json"}
            return httpx.Response(self.token_status, headers=headers, stream=Pieces([body]))
        assert request.url.host == "upstream.test"
        headers = {name.lower(): value for name, value in request.headers.items()}
        path, query = request.url.path, request.url.query.decode()
        self.requests.append(WireRequest(request.method, path, query, headers, request.content))
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        return httpx.Response(reply.status, headers=dict(reply.headers), stream=Pieces(reply.pieces))


Make = Callable[[Google], Provider]


def gemini(google: Google) -> Provider:
    settings = GeminiProvider.model_validate(GeminiWire().settings(BASE, MODEL))
    return provider_of(settings, httpx.MockTransport(google), ManualClock(0))


@pytest.fixture
def vertex(tmp_path: Path) -> Make:
    """Time stands still long before its tokens end."""
    file = tmp_path / "google.json"
    file.write_text(service_account().file(TOKEN_URI), "utf-8")

    def make(google: Google) -> Provider:
        settings = VertexProvider.model_validate(VertexWire().settings(BASE, MODEL) | {"credentials_file": str(file)})
        return provider_of(settings, httpx.MockTransport(google), ManualClock(0))

    return make


@pytest.fixture(params=[GeminiWire(), VertexWire()], ids=["gemini", "vertex"])
def wire(request: pytest.FixtureRequest) -> Wire:
    found: Wire = request.param
    return found


@pytest.fixture
def make(wire: Wire, vertex: Make) -> Make:
    return gemini if wire.name == "gemini" else vertex


async def test_an_answer_is_asked_for_and_told(wire: Wire, make: Make) -> None:
    google = Google(wire.whole(SAID, MODEL))
    reply = await make(google).complete(call(upstream_model=MODEL))

    heard = wire.hear(google.requests[0])
    assert (heard.model, heard.stream, heard.turns) == (MODEL, False, (("user", "Hi"),))
    document = json.loads(reply.body)
    message = document["choices"][0]["message"]
    assert (message["content"], message["reasoning_content"]) == (SAID.text, SAID.reasoning)
    assert json.loads(message["tool_calls"][0]["function"]["arguments"]) == {"a": "ü"}
    assert (document["model"], document["choices"][0]["finish_reason"]) == ("mine", "tool_calls")
    assert reply.usage == Usage(11, 7, 4)


async def test_a_stream_is_asked_for_and_told(wire: Wire, make: Make) -> None:
    google = Google(wire.stream(SAID, MODEL))
    stream = await make(google).stream(stream_call(stream_options={"include_usage": True}))
    chunks = [chunk for chunk in await drain(stream) if chunk.visible]

    assert wire.hear(google.requests[0]).stream
    deltas = [choice["delta"] for chunk in chunks for choice in json.loads(chunk.data)["choices"]]
    assert "".join(delta.get("content") or "" for delta in deltas) == SAID.text
    assert [chunk.usage for chunk in chunks if chunk.usage] == [Usage(11, 7, 4)]


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_refusal_says_when_to_come_again(wire: Wire, make: Make, streamed: bool) -> None:
    provider = make(Google(wire.refusal(Refused(429, "slow", 7))))
    with pytest.raises(ProviderFailed) as raised:
        await (provider.stream(stream_call()) if streamed else provider.complete(call()))
    failure = raised.value.failure
    assert (failure.kind, failure.retry_after_us) == (FailureKind.RATE_LIMITED, 7_000_000)


async def test_a_check_lists_a_model(wire: Wire, make: Make) -> None:
    google = Google(WireReply(200, (b"{}",)))
    assert await make(google).check() == 200
    (request,) = google.requests
    assert (request.method, request.query, request.body) == ("GET", "pageSize=1", b"")
    assert request.path.endswith("/models")
    assert wire.name != "gemini" or request.headers["x-goog-api-key"] == KEY


@pytest.mark.parametrize(
    ("model", "reply", "end"),
    [
        ("text-embedding-005", {"predictions": [{"embeddings": {"values": [0.5]}}]}, "text-embedding-005:predict"),
        ("gemini-embedding-2", {"embeddings": [{"values": [0.5]}]}, "gemini-embedding-2:batchEmbedContents"),
    ],
)
async def test_embeddings_of_vertex_have_the_operation_of_their_model(
    vertex: Make, model: str, reply: object, end: str
) -> None:
    google = Google(WireReply(200, (json.dumps(reply).encode(),)))
    asked = call({"model": "mine", "input": "Hi"}, endpoint=Endpoint.EMBEDDINGS, upstream_model=model)
    found = await vertex(google).complete(asked)
    assert json.loads(found.body)["data"][0]["embedding"] == [0.5]
    assert google.requests[0].path.endswith(end)


async def test_a_token_is_fetched_once_for_many_requests(vertex: Make) -> None:
    google = Google(VertexWire().whole(SAID, MODEL))
    provider = vertex(google)
    await asyncio.gather(*(provider.complete(call()) for _ in range(5)))
    await provider.complete(call())

    assert len(google.token_requests) == 1
    assert {request.headers["authorization"] for request in google.requests} == {
        f"Bearer {token_endpoint().issued[-1]}"
    }


async def test_a_token_that_is_refused_is_fetched_anew_and_not_told(vertex: Make) -> None:
    google = Google(WireReply(200, (b"{}",)))
    provider = vertex(google)
    await provider.check()
    token = token_endpoint().issued[-1]
    google._replies = [VertexWire().refusal(Refused(401, f"bad {token}")), VertexWire().whole(SAID, MODEL)]

    with pytest.raises(ProviderFailed) as raised:
        await provider.complete(call())
    await provider.complete(call())

    assert raised.value.failure.kind is FailureKind.CREDENTIAL_REFUSED
    assert token not in raised.value.failure.message
    assert len(google.token_requests) == 2


async def test_credentials_that_google_refuses_send_nothing_to_the_provider(vertex: Make) -> None:
    google = Google(VertexWire().whole(SAID, MODEL), token_status=400)
    with pytest.raises(ProviderFailed) as raised:
        await vertex(google).complete(call())
    failure = raised.value.failure
    assert (failure.kind, failure.was_sent, google.requests) == (FailureKind.CREDENTIAL_REFUSED, False, [])
    assert "invalid_grant" not in failure.message


async def test_a_token_endpoint_that_cannot_be_reached_is_no_fault_of_the_credentials(vertex: Make) -> None:
    google = Google(VertexWire().whole(SAID, MODEL))
    google.token_error = httpx.ConnectError("no")
    with pytest.raises(ProviderFailed) as raised:
        await vertex(google).complete(call())
    assert (raised.value.failure.kind, raised.value.failure.was_sent) == (FailureKind.CONNECT, False)


@pytest.mark.parametrize("text", [None, "no json", "[]", '{"type": "service_account"}', '{"type": "odd"}'])
async def test_credentials_that_cannot_be_read_are_refused_and_read_again(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "google.json"
    if text is not None:
        file.write_text(text, "utf-8")
    settings = VertexProvider.model_validate(VertexWire().settings(BASE, MODEL) | {"credentials_file": str(file)})
    google = Google(VertexWire().whole(SAID, MODEL))
    provider = provider_of(settings, httpx.MockTransport(google), ManualClock(0))
    with pytest.raises(ProviderFailed) as raised:
        await provider.complete(call())
    assert raised.value.failure.kind is FailureKind.CREDENTIAL_REFUSED
    assert str(file) not in raised.value.failure.message

    file.write_text(service_account().file(TOKEN_URI), "utf-8")
    assert (await provider.complete(call())).usage == Usage(11, 7, 4)


async def test_a_key_opens_vertex_without_a_token() -> None:
    settings = VertexProvider.model_validate(
        {
            "project": "p",
            "location": "global",
            "base_url": BASE,
            "api_key": "a-key",
        }
    )
    google = Google(WireReply(200, (b"{}",)))
    await provider_of(settings, httpx.MockTransport(google), ManualClock(0)).check()
    headers = google.requests[0].headers
    assert (headers["x-goog-api-key"], "authorization" in headers, google.token_requests) == ("a-key", False, [])
