"""The scripted upstream itself: a test that leans on it must be able to trust it."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from openai import AsyncOpenAI

from tests.e2e import raw_http
from tests.e2e.behaviour import AFTER_HEAD, BEFORE_HEAD, Behaviour, Ending, ending, failing
from tests.e2e.openai_wire import VECTOR, whole_text
from tests.e2e.scripted_upstream import ScriptedUpstream, peak_overlap
from tests.e2e.support import eventually

CHAT = "/v1/chat/completions"


@pytest.fixture
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    async with ScriptedUpstream() as server:
        yield server


@pytest.fixture
async def client(upstream: ScriptedUpstream) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=upstream.base_url, api_key="any", max_retries=0) as made:
        yield made


async def stream_text(client: AsyncOpenAI, model: str) -> str:
    stream = await client.chat.completions.create(model=model, messages=[{"role": "user", "content": "x"}], stream=True)
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])


async def test_upstream_answers_the_official_client(upstream: ScriptedUpstream, client: AsyncOpenAI) -> None:
    reply = await client.chat.completions.create(model="lane", messages=[{"role": "user", "content": "x"}])
    vectors = await client.embeddings.create(model="lane", input=["a", "b"])
    text = await client.completions.create(model="lane", prompt="x")
    models = [model.id async for model in client.models.list()]

    expected = whole_text("lane", Behaviour())
    assert expected == reply.choices[0].message.content == text.choices[0].text == await stream_text(client, "lane")
    assert [list(VECTOR)] * 2 == [entry.embedding for entry in vectors.data]
    assert models == ["lane"]
    assert [
        {CHAT: "chat"}.get(request.path, request.path.rpartition("/")[2]) for request in upstream.lane("lane").requests
    ] == ["chat", "embeddings", "completions", "chat"]


async def test_upstream_streams_whole_text_when_every_byte_comes_alone(
    upstream: ScriptedUpstream, client: AsyncOpenAI
) -> None:
    upstream.lane("lane").default = Behaviour(byte_by_byte=True, chunks=2)

    assert whole_text("lane", Behaviour(chunks=2)) == await stream_text(client, "lane")


async def test_upstream_queue_comes_before_the_default(upstream: ScriptedUpstream) -> None:
    upstream.lane("lane").queue(failing(503, "busy", retry_after="2"), failing(400))

    request = raw_http.post(CHAT, raw_http.chat("lane"))
    replies = [await raw_http.exchange(upstream.port, request) for _ in range(3)]

    assert [reply.status for reply in replies] == [503, 400, 200]
    assert replies[0].headers["retry-after"] == "2"
    assert replies[0].json()["error"]["message"] == "busy"


@pytest.mark.parametrize("ends", [Ending.FIN, Ending.RST])
async def test_upstream_cuts_a_stream_after_the_chunks_it_was_told(upstream: ScriptedUpstream, ends: Ending) -> None:
    upstream.lane("lane").default = Behaviour(ends=ends, after=2, chunk_delay_s=0.01)

    reply = await raw_http.exchange(upstream.port, raw_http.post(CHAT, raw_http.chat("lane", stream=True)))

    assert not reply.complete
    deltas = [json.loads(event)["choices"][0]["delta"] for event in reply.events()]
    assert [delta["content"] for delta in deltas] == ["", "lane-0 ", "lane-1 "]


@pytest.mark.parametrize(("after", "events"), [(AFTER_HEAD, 1), (0, 2), (3, 5)])
async def test_upstream_puts_an_error_event_into_a_stream(upstream: ScriptedUpstream, after: int, events: int) -> None:
    upstream.lane("lane").default = ending(Ending.ERROR_EVENT, after)

    reply = await raw_http.exchange(upstream.port, raw_http.post(CHAT, raw_http.chat("lane", stream=True)))

    assert reply.complete
    assert events == len(reply.events())
    assert "error" in json.loads(reply.events()[-1])


async def test_upstream_omits_the_terminator_where_told(upstream: ScriptedUpstream) -> None:
    upstream.lane("lane").queue(Behaviour(done=False), Behaviour(until_close=True))

    request = raw_http.post(CHAT, raw_http.chat("lane", stream=True))
    without, with_done = [await raw_http.exchange(upstream.port, request) for _ in range(2)]

    assert "[DONE]" not in without.events()
    assert with_done.events()[-1] == "[DONE]"
    assert "transfer-encoding" not in with_done.headers


@pytest.mark.parametrize("stream", [True, False])
async def test_upstream_hangs_until_the_client_leaves_and_records_that(
    upstream: ScriptedUpstream, *, stream: bool
) -> None:
    lane = upstream.lane("lane")
    lane.default = ending(Ending.HANG, BEFORE_HEAD)

    async with raw_http.RawConnection(upstream.port) as connection:
        await connection.send(raw_http.post(CHAT, raw_http.chat("lane", stream=stream)))
        await eventually(lambda: upstream.busy_connections == 1, within_s=1, what="the request is under way")

    await eventually(lambda: upstream.open_connections == 0, within_s=1, what="the connection is gone")
    assert lane.requests[0].client_left


async def test_upstream_resets_before_any_reply(upstream: ScriptedUpstream) -> None:
    upstream.lane("lane").default = ending(Ending.RST)

    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await raw_http.exchange(upstream.port, raw_http.post(CHAT, raw_http.chat("lane")))


async def test_upstream_refuses_and_listens_again_on_its_port(upstream: ScriptedUpstream) -> None:
    port = upstream.port
    await upstream.refuse()
    with pytest.raises(ConnectionRefusedError):
        await raw_http.exchange(port, raw_http.get("/v1/models"))

    await upstream.listen()

    assert (await raw_http.exchange(port, raw_http.get("/v1/models"))).status == 200


async def test_upstream_knows_how_many_requests_overlapped(upstream: ScriptedUpstream) -> None:
    upstream.lane("lane").default = Behaviour(delay_s=0.05)
    request = raw_http.post(CHAT, raw_http.chat("lane"))

    await asyncio.gather(*(raw_http.exchange(upstream.port, request) for _ in range(3)))
    await raw_http.exchange(upstream.port, request)

    assert peak_overlap(upstream.lane("lane").requests) == 3
    assert peak_overlap(list(upstream.lane("lane").requests)[3:]) == 1
