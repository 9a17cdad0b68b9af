import asyncio
import json
from itertools import pairwise

import httpx
import pytest
import respx
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.outbound.providers.openai_chunks import ChunkRelay
from adapters.outbound.providers.openai_stream import OpenAIChunkStream
from domain.chat import Chunk, Endpoint, Usage
from domain.failure import FailureKind, ProviderFailed
from domain.redaction import Redactor
from tests.integration.providers.calls import call, stream_call
from tests.integration.providers.upstream import SSE, Pieces, drain, provider, sse

HEAD = b'{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o","choices":'
ROLE = HEAD + b'[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}'
STOP = HEAD + b'[{"index":0,"delta":{},"finish_reason":"stop"}]}'
USAGE = HEAD + b'[],"usage":{"prompt_tokens":3,"completion_tokens":2}}'
DONE = b"[DONE]"


def text(content: str) -> bytes:
    quoted = json.dumps(content, ensure_ascii=False).encode()
    return HEAD + b'[{"index":0,"delta":{"content":' + quoted + b'},"finish_reason":null}]}'


def mine(event: bytes) -> bytes:
    return event.replace(b'"model":"gpt-4o"', b'"model":"mine"', 1)


TRICKY = 'say "model":"gpt-4o" and €, "error": {} \\ \n data: [DONE]\n\n'
EVENTS = [ROLE, text("Hel"), text("lo €"), text(TRICKY), STOP, USAGE]
WIRE = b": hello\n\n" + sse(*EVENTS, DONE)
CHUNKS = [
    Chunk(mine(ROLE), content=False),
    *(Chunk(mine(event)) for event in EVENTS[1:5]),
    Chunk(mine(USAGE), content=False, usage=Usage(3, 2), visible=False),
]


def opened(*pieces: bytes, error: Exception | None = None) -> tuple[OpenAIChunkStream, Pieces]:
    body = Pieces(pieces, error)
    response = httpx.Response(200, stream=body, headers=SSE)
    return OpenAIChunkStream(response, ChunkRelay("mine", Redactor())), body


async def until_failure(stream: OpenAIChunkStream) -> tuple[list[Chunk], ProviderFailed]:
    chunks: list[Chunk] = []
    try:
        async for batch in stream:
            chunks += batch
    except ProviderFailed as failed:
        return chunks, failed
    pytest.fail("the stream ended as if it were complete")


async def test_a_stream_is_relayed_with_the_clients_model() -> None:
    with respx.mock() as router:
        router.post("https://api.openai.com/v1/chat/completions").respond(content=WIRE, headers=SSE)
        assert await drain(await provider(router).stream(stream_call())) == CHUNKS


async def test_what_arrives_together_is_handed_on_together() -> None:
    stream, _ = opened(sse(ROLE, text("a")), sse(text("b"), text("c"), STOP, DONE))
    assert [len(batch) async for batch in stream] == [2, 3]


async def test_a_stream_byte_by_byte_is_the_same_stream() -> None:
    stream, _ = opened(*(WIRE[i : i + 1] for i in range(len(WIRE))))
    assert await drain(stream) == CHUNKS


@settings(max_examples=40)
@given(st.lists(st.integers(0, len(WIRE)), max_size=20))
def test_a_stream_cut_anywhere_is_the_same_stream(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(WIRE)]
    stream, _ = opened(*(WIRE[a:b] for a, b in pairwise(edges)))
    assert asyncio.run(drain(stream)) == CHUNKS


@pytest.mark.parametrize("many", [0, 1, 2, 3, 4, 20])
@pytest.mark.parametrize("ends_with", [[], [STOP], [STOP, DONE], [STOP, USAGE, DONE]], ids=len)
async def test_many_events_in_one_read_are_the_same_as_one_by_one(many: int, ends_with: list[bytes]) -> None:
    wires = [sse(event) for event in (text("a"), *[text(TRICKY)] * many, *ends_with)]
    rest = [] if DONE in ends_with else [sse(STOP, DONE)]

    slow, _ = opened(*wires, *rest)
    quick, _ = opened(wires[0], b"".join(wires[1:]), *rest)

    chunks = await drain(slow)
    assert chunks[1 : many + 1] == [Chunk(mine(text(TRICKY)))] * many
    assert await drain(quick) == chunks


async def test_an_event_of_a_megabyte_passes() -> None:
    event = text("x" * (1 << 20))
    wire = sse(event, STOP, DONE)
    stream, _ = opened(*(wire[i : i + 65_536] for i in range(0, len(wire), 65_536)))
    assert (await drain(stream))[0].data == mine(event)


async def test_an_event_without_end_is_a_failure() -> None:
    stream, body = opened(b"data: ", *(b"x" * (1 << 20) for _ in range(100)))
    _, failed = await until_failure(stream)
    assert failed.failure.kind is FailureKind.BROKEN_REPLY
    assert body.read_bytes < 18 << 20
    assert body.closed


@pytest.mark.parametrize(
    "pieces", [(), (sse(ROLE),), (sse(ROLE, text("a")),), (sse(text("a")), b"data: " + text("b")[:-2])]
)
async def test_a_stream_that_ends_early_is_a_failure(pieces: tuple[bytes, ...]) -> None:
    stream, body = opened(*pieces)
    _, failed = await until_failure(stream)
    assert failed.failure.kind is FailureKind.BROKEN_REPLY
    assert failed.failure.ambiguous
    assert body.closed


async def test_an_empty_finish_reason_finishes_nothing() -> None:
    stream, _ = opened(sse(text("a").replace(b"null", b'""')))
    chunks, failed = await until_failure(stream)
    assert len(chunks) == 1
    assert failed.failure.kind is FailureKind.BROKEN_REPLY


async def test_a_cut_event_at_the_end_is_not_handed_on_even_where_it_looks_whole() -> None:
    stream, _ = opened(sse(text("a")), b"data: " + text("b")[:-2])
    chunks, _ = await until_failure(stream)
    assert [chunk.data for chunk in chunks if chunk.data] == [mine(text("a"))]


async def test_a_stream_that_is_torn_off_is_a_failure_after_what_came_before() -> None:
    stream, body = opened(sse(ROLE, text("a")), error=httpx.ReadError("gone"))
    chunks, failed = await until_failure(stream)
    assert chunks == [Chunk(mine(ROLE), content=False), Chunk(mine(text("a")))]
    assert (failed.failure.kind, failed.failure.ambiguous) == (FailureKind.BROKEN_REPLY, True)
    assert body.closed


@pytest.mark.parametrize("tail", [b"", b"data: [DONE]", b"data: [DONE]\n"])
async def test_a_finished_stream_may_lack_its_last_bytes(tail: bytes) -> None:
    stream, _ = opened(sse(text("a"), STOP), tail)
    assert [chunk.data for chunk in await drain(stream)] == [mine(text("a")), mine(STOP)]


async def test_a_finished_stream_may_lack_the_blank_line_of_its_last_chunk() -> None:
    stream, _ = opened(sse(text("a")), b"data: " + STOP)
    assert [chunk.data for chunk in await drain(stream)] == [mine(text("a")), mine(STOP)]


async def test_nothing_is_read_after_the_end() -> None:
    stream, body = opened(sse(text("a"), STOP, DONE, b"junk"), b"more")
    assert len(await drain(stream)) == 2
    assert body.read_bytes == len(sse(text("a"), STOP, DONE, b"junk"))
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_an_error_event_ends_the_stream_after_what_came_before() -> None:
    error = b'{"error":{"message":"overloaded","type":"overloaded_error"}}'
    stream, body = opened(sse(ROLE, text("a"), error, text("b"), DONE))
    chunks, failed = await until_failure(stream)
    assert [chunk.data for chunk in chunks] == [mine(ROLE), mine(text("a"))]
    assert (failed.failure.kind, failed.failure.message) == (FailureKind.SERVER_ERROR, "overloaded")
    assert body.closed
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_an_error_event_before_content_is_the_first_thing_said() -> None:
    stream, _ = opened(sse(b'{"error":{"message":"busy","code":429}}'))
    chunks, failed = await until_failure(stream)
    assert chunks == []
    assert failed.failure.kind is FailureKind.RATE_LIMITED


async def test_two_choices_must_both_finish_where_the_terminator_is_missing() -> None:
    with respx.mock() as router:
        router.post("https://api.openai.com/v1/chat/completions").respond(content=sse(text("a"), STOP), headers=SSE)
        stream = await provider(router).stream(stream_call(n=2))
        with pytest.raises(ProviderFailed):
            await drain(stream)


async def test_each_prompt_must_finish_where_the_terminator_is_missing() -> None:
    ask = call({"model": "mine", "prompt": ["a", "b"], "stream": True}, endpoint=Endpoint.COMPLETIONS)
    with respx.mock() as router:
        router.post("https://api.openai.com/v1/completions").respond(content=sse(text("a"), STOP), headers=SSE)
        stream = await provider(router).stream(ask)
        with pytest.raises(ProviderFailed):
            await drain(stream)


async def test_a_closed_stream_lets_go_of_its_body_and_ends() -> None:
    stream, body = opened(sse(text("a")), sse(text("b")))
    await anext(stream)
    await stream.aclose()
    await stream.aclose()
    assert body.closed
    assert await drain(stream) == []
