"""The official client asks for what is no text: the real gateway forwards it."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from openai import AsyncOpenAI, BadRequestError

from tests.e2e.forwarding_upstream import SOUND, ForwardingUpstream, forwarding_upstream
from tests.e2e.gateway_process import Gateway, configuration, running_gateway
from tests.e2e.support import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

FORWARDED = ["moderations", "images", "transcriptions", "translations", "speech", "rerank"]
RECORDING = os.urandom(3 << 20)


def entry(name: str, upstream: ForwardingUpstream, priority: int, **more: object) -> dict[str, object]:
    provider = {"type": "custom", "model": f"{name}-upstream", "base_url": upstream.base_url}
    own = {"model_name": "anything", "id": name, "priority": priority, "capabilities": FORWARDED}
    return {**own, "provider": provider, "cost_per_unit": "0.0001", **more}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def first() -> AsyncIterator[ForwardingUpstream]:
    async with forwarding_upstream() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def second() -> AsyncIterator[ForwardingUpstream]:
    async with forwarding_upstream() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(
    first: ForwardingUpstream, second: ForwardingUpstream, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Gateway]:
    entries = [entry("one", first, 2), entry("two", second, 1)]
    text_only = {**entry("three", first, 1, capabilities=["chat"]), "model_name": "text-only"}
    router = {"circuit_breaker": {"consecutive_failures": 1_000, "minimum_calls": 1_000}}
    async with running_gateway(
        configuration([*entries, text_only], router=router), tmp_path_factory.mktemp("forwarded")
    ) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh(first: ForwardingUpstream, second: ForwardingUpstream) -> None:
    for upstream in (first, second):
        upstream.fails = upstream.cut = False
        for heard in (upstream.asked, upstream.forms, upstream.boundaries):
            heard.clear()


@pytest_asyncio.fixture(loop_scope="module")
async def client(gateway: Gateway) -> AsyncIterator[AsyncOpenAI]:
    async with gateway.client() as opened:
        yield opened


async def test_transcript_fails_over_with_the_very_same_file(
    client: AsyncOpenAI, first: ForwardingUpstream, second: ForwardingUpstream
) -> None:
    first.fails = True

    raw = await client.audio.transcriptions.with_raw_response.create(
        model="anything", file=('nas"ty\r\nx: y.wav', RECORDING, "audio/wav"), prompt="Zürich", language="de"
    )

    assert raw.parse().text == "hello"
    assert (raw.headers["x-moongate-instance"], raw.headers["x-moongate-cost"]) == ("two", "0.0061")
    assert raw.headers["content-type"] == "application/json"
    for upstream, model in ((first, b"one-upstream"), (second, b"two-upstream")):
        for parts in upstream.forms:
            found = {part.name: part for part in parts}
            assert found["file"].value == RECORDING
            assert found["file"].content_type == "audio/wav"
            assert found["model"].value == model
            assert (found["prompt"].value, found["language"].value) == ("Zürich".encode(), b"de")
            assert sorted(found) == ["file", "language", "model", "prompt"]
    assert first.forms
    assert len(second.forms) == 1


async def test_translations_at_once_do_not_mix_their_files(
    gateway: Gateway, first: ForwardingUpstream, second: ForwardingUpstream
) -> None:
    recordings = [os.urandom((2 << 20) + number) for number in range(4)]

    async with opened(gateway) as http:
        forms = [{"data": {"model": "anything"}, "files": {"file": ("a.mp3", one)}} for one in recordings]
        replies = await asyncio.gather(*(http.post("/v1/audio/translations", **form) for form in forms))  # type: ignore[arg-type]

    assert {reply.status_code for reply in replies} == {200}
    heard = sorted(part.value for parts in first.forms + second.forms for part in parts if part.filename)
    assert heard == sorted(recordings)
    assert len(set(first.boundaries + second.boundaries)) == len(recordings)


async def test_subtitles_arrive_as_text(client: AsyncOpenAI) -> None:
    raw = await client.audio.transcriptions.with_raw_response.create(
        model="anything", file=("a.wav", b"x" * 8_000), response_format="srt"
    )

    assert raw.text.startswith("1\n00:00:00,000")
    assert raw.headers["content-type"].startswith("text/plain")
    assert raw.headers["x-moongate-cost"] == "0.0002"


async def test_transcript_streams_its_events(client: AsyncOpenAI) -> None:
    stream = await client.audio.transcriptions.create(model="anything", file=("a.wav", b"x" * 100), stream=True)

    kinds = [event.type async for event in stream]

    assert kinds == ["transcript.text.delta", "transcript.text.delta", "transcript.text.done"]


async def test_speech_arrives_whole_from_whoever_speaks(client: AsyncOpenAI, first: ForwardingUpstream) -> None:
    first.fails = True

    async with client.audio.speech.with_streaming_response.create(model="anything", voice="alloy", input="hi") as reply:
        heard = b"".join([piece async for piece in reply.iter_bytes()])
        headers = reply.headers

    assert heard == SOUND
    assert (headers["content-type"], headers["x-moongate-instance"]) == ("audio/mpeg", "two")


async def test_speech_that_breaks_off_is_no_whole_answer(
    gateway: Gateway, first: ForwardingUpstream, second: ForwardingUpstream
) -> None:
    first.cut = second.cut = True

    with pytest.raises(httpx.RemoteProtocolError):
        await post(gateway, "/v1/audio/speech", {"model": "anything", "voice": "alloy", "input": "hi"})


async def test_speech_in_events_stays_in_events(gateway: Gateway) -> None:
    asked = {"model": "anything", "voice": "alloy", "input": "hi", "stream_format": "sse"}
    reply = await post(gateway, "/v1/audio/speech", asked)

    assert reply.headers["content-type"].startswith("text/event-stream")
    assert reply.text.startswith('event: speech.audio.delta\ndata: {"type": "speech.audio.delta"')
    assert reply.text.count("event:") == 2


async def test_pictures_are_counted_one_by_one(client: AsyncOpenAI, first: ForwardingUpstream) -> None:
    raw = await client.images.with_raw_response.generate(model="anything", prompt="a cat", n=3)

    assert len(raw.parse().data or []) == 3
    assert raw.headers["x-moongate-cost"] == "0.0003"
    assert first.asked == [("/v1/images/generations", {"model": "one-upstream", "prompt": "a cat", "n": 3})]


async def test_pictures_stream_as_they_are_painted(client: AsyncOpenAI) -> None:
    stream = await client.images.generate(model="anything", prompt="a cat", stream=True, partial_images=1)

    assert [event.type async for event in stream] == ["image_generation.partial_image", "image_generation.completed"]


async def test_moderation_answers_under_the_name_that_was_asked_for(client: AsyncOpenAI) -> None:
    reply = await client.moderations.create(model="anything", input=["a", "b"])

    assert (reply.model, reply.results[0].flagged) == ("anything", False)


async def test_reranking_costs_what_was_searched(gateway: Gateway) -> None:
    reply = await post(gateway, "/v1/rerank", {"model": "anything", "query": "q", "documents": ["a", "b"]})

    assert reply.json()["model"] == "anything"
    assert reply.headers["x-moongate-cost"] == "0.0002"


async def test_provider_without_an_endpoint_is_named(client: AsyncOpenAI) -> None:
    with pytest.raises(BadRequestError) as refused:
        await client.moderations.create(model="text-only", input="a")

    assert refused.value.code == "unsupported_operation"
    assert "custom" in str(refused.value)


@pytest.mark.parametrize("path", ["/v1/audio/speech", "/v1/audio/transcriptions"])
async def test_idempotency_key_is_refused_where_it_can_not_be_honoured(gateway: Gateway, path: str) -> None:
    async with opened(gateway) as http:
        form = {"files": {"file": ("a.wav", b"x")}, "data": {"model": "anything"}}
        asked = form if "transcriptions" in path else {"json": {"model": "anything", "input": "hi"}}
        reply = await http.post(path, headers={"idempotency-key": "k"}, **asked)

    assert (reply.status_code, reply.json()["error"]["param"]) == (400, "Idempotency-Key")


async def test_same_moderation_with_a_key_is_asked_once(gateway: Gateway, first: ForwardingUpstream) -> None:
    async with opened(gateway) as http:
        for _ in range(2):
            asked = {"model": "anything", "input": "hi"}
            reply = await http.post("/v1/moderations", headers={"idempotency-key": "m"}, json=asked)
            assert reply.json()["model"] == "anything"

    assert len(first.asked) == 1


async def test_client_that_leaves_while_it_sends_leaves_nothing(gateway: Gateway, first: ForwardingUpstream) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    head = (
        "POST /v1/audio/transcriptions HTTP/1.1\r\nhost: x\r\ncontent-length: 20000000\r\n"
        f"authorization: Bearer {gateway.key}\r\ncontent-type: multipart/form-data; boundary=b\r\n\r\n"
    )
    writer.write(head.encode() + b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n')
    writer.write(RECORDING)
    await writer.drain()
    await eventually(lambda: open_files(gateway) == 1, within_s=10, what="the upload is on disk")

    writer.close()

    await eventually(lambda: open_files(gateway) == 0, within_s=10, what="its file is gone")
    del reader
    assert not first.forms


def open_files(gateway: Gateway) -> int:
    """Files of it that have no name."""
    folder = Path(f"/proc/{gateway.process.pid}/fd")
    return sum(_target(one).endswith("(deleted)") for one in folder.iterdir())


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


def opened(gateway: Gateway) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {gateway.key}"}
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{gateway.port}", headers=headers, timeout=20)


async def post(gateway: Gateway, path: str, asked: Mapping[str, object]) -> httpx.Response:
    async with opened(gateway) as http:
        return await http.post(path, json=asked)
