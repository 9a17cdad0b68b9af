import base64
import json
import math
import struct

import pytest

from adapters.outbound.providers.echo import EchoConfig, EchoProvider
from application.ports.provider import Call, ChunkStream
from domain.chat import Chunk, Endpoint, Reply, Usage
from domain.failure import FailureKind, ProviderFailed
from tests.integration.providers.calls import call
from tests.integration.providers.fakes import Draws, SteppingClock

CHAT = {
    "model": "mine",
    "messages": [
        {"role": "user", "content": "first"},
        {"role": "user", "content": [{"type": "text", "text": "Hello  wide "}, {"type": "text", "text": "world"}]},
        {"role": "assistant", "content": "ok"},
    ],
}


def echo(clock: SteppingClock | None = None, *draws: float, **config: float) -> EchoProvider:
    return EchoProvider(EchoConfig(**config), clock or SteppingClock(), Draws(*draws))  # type: ignore[arg-type]  # counts


async def drain(stream: ChunkStream) -> list[Chunk]:
    return [chunk async for batch in stream for chunk in batch]


def document(reply: Reply) -> dict[str, object]:
    parsed = json.loads(reply.body)
    assert isinstance(parsed, dict)
    return parsed


async def test_chat_answers_with_the_last_user_message() -> None:
    reply = await echo().complete(call(CHAT))
    assert document(reply) == {
        "id": "chatcmpl-01890000000070008000000000000001",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "mine",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello  wide world", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 6, "completion_tokens": 5, "total_tokens": 11},
    }
    assert reply.usage == Usage(6, 5)


async def test_a_streamed_answer_comes_word_by_word() -> None:
    chunks = await drain(await echo().stream(call({**CHAT, "stream": True})))
    deltas = [json.loads(chunk.data)["choices"][0] for chunk in chunks[:-1]]
    assert [delta["delta"].get("content") for delta in deltas] == ["", "Hello  ", "wide ", "world", None]
    assert [delta["finish_reason"] for delta in deltas] == [None, None, None, None, "stop"]
    assert [chunk.content for chunk in chunks] == [False, True, True, True, True, False]
    assert (chunks[-1].usage, chunks[-1].visible) == (Usage(6, 5), False)
    assert json.loads(chunks[-1].data)["choices"] == []


async def test_each_choice_that_is_asked_for_comes() -> None:
    reply = document(await echo().complete(call({**CHAT, "n": 3})))
    streamed = await drain(await echo().stream(call({**CHAT, "n": 3, "stream": True})))

    choices = reply["choices"]
    assert isinstance(choices, list)
    assert [(each["index"], each["message"]["content"]) for each in choices] == [
        (index, "Hello  wide world") for index in range(3)
    ]
    assert reply["usage"] == {"prompt_tokens": 6, "completion_tokens": 13, "total_tokens": 19}
    ends = [choice for chunk in streamed for choice in json.loads(chunk.data)["choices"] if choice["finish_reason"]]
    assert [choice["index"] for choice in ends] == [0, 1, 2]


async def test_each_of_several_prompts_is_answered() -> None:
    asked = {"model": "mine", "prompt": ["one", "two"], "n": 2}
    choices = document(await echo().complete(call(asked, endpoint=Endpoint.COMPLETIONS)))["choices"]

    assert isinstance(choices, list)
    assert [(each["index"], each["text"]) for each in choices] == [(0, "one"), (1, "one"), (2, "two"), (3, "two")]


async def test_usage_is_visible_where_the_client_asked() -> None:
    asked = {**CHAT, "stream": True, "stream_options": {"include_usage": True}}
    assert (await drain(await echo().stream(call(asked))))[-1].visible


async def test_completions_answer_with_the_prompt() -> None:
    asked = call({"model": "mine", "prompt": "a b"}, endpoint=Endpoint.COMPLETIONS)
    reply = document(await echo().complete(asked))
    assert reply["object"] == "text_completion"
    assert reply["choices"] == [{"index": 0, "text": "a b", "logprobs": None, "finish_reason": "stop"}]
    chunks = await drain(await echo().stream(asked))
    assert [json.loads(chunk.data)["choices"][0]["text"] for chunk in chunks[:-1]] == ["a ", "b", ""]


@pytest.mark.parametrize("choice", [{"type": "function", "function": {"name": "look_up"}}, "required"])
async def test_a_forced_tool_is_called(choice: object) -> None:
    tools = [{"type": "function", "function": {"name": "look_up", "parameters": {}}}]
    asked = call({**CHAT, "tools": tools, "tool_choice": choice})
    expected = {
        "id": "call_000070008000000000000001",
        "type": "function",
        "function": {"name": "look_up", "arguments": "{}"},
    }
    reply = json.loads((await echo().complete(asked)).body)
    assert reply["choices"][0]["message"]["tool_calls"] == [expected]
    assert reply["choices"][0]["finish_reason"] == "tool_calls"
    chunks = [json.loads(chunk.data) for chunk in await drain(await echo().stream(asked))]
    assert chunks[1]["choices"][0]["delta"]["tool_calls"] == [{"index": 0, **expected}]
    assert chunks[2]["choices"][0]["finish_reason"] == "tool_calls"


async def test_offered_tools_alone_are_not_called() -> None:
    tools = [{"type": "function", "function": {"name": "look_up"}}]
    reply = json.loads((await echo().complete(call({**CHAT, "tools": tools, "tool_choice": "auto"}))).body)
    assert reply["choices"][0]["message"]["content"] == "Hello  wide world"


async def embed(**fields: object) -> list[object]:
    asked = call({"model": "mine", **fields}, endpoint=Endpoint.EMBEDDINGS)
    return [item["embedding"] for item in json.loads((await echo().complete(asked)).body)["data"]]


@pytest.mark.parametrize("dimensions", [1, 7, 32, 1536])
async def test_an_embedding_is_a_unit_vector_of_the_wanted_size(dimensions: int) -> None:
    [vector] = await embed(input="a", dimensions=dimensions)
    assert isinstance(vector, list)
    assert len(vector) == dimensions
    assert math.isclose(math.hypot(*vector), 1.0)


async def test_embeddings_depend_on_their_input_alone() -> None:
    a, b, again = await embed(input=["a", "b", "a"])
    assert a == again
    assert a != b
    assert await embed(input="a") == [a]
    assert len(await embed(input=[1, 2, 3])) == 1
    assert len(await embed(input=[[1, 2], [3]])) == 2


async def test_an_embedding_in_base64_is_the_same_vector() -> None:
    [vector], [encoded] = (
        await embed(input="a", dimensions=4),
        await embed(input="a", dimensions=4, encoding_format="base64"),
    )
    assert isinstance(encoded, str)
    assert list(struct.unpack("<4f", base64.b64decode(encoded))) == pytest.approx(vector)


@pytest.mark.parametrize("dimensions", [0, -1, 4097, "4", True, 1.5])
async def test_senseless_dimensions_are_refused(dimensions: object) -> None:
    with pytest.raises(ProviderFailed) as failed:
        await embed(input="a", dimensions=dimensions)
    assert failed.value.failure.kind is FailureKind.REQUEST_REFUSED
    assert failed.value.failure.param == "dimensions"


async def test_embeddings_have_no_stream() -> None:
    with pytest.raises(ProviderFailed) as failed:
        await echo().stream(call({"model": "mine", "input": "a"}, endpoint=Endpoint.EMBEDDINGS))
    assert failed.value.failure.kind is FailureKind.UNSUPPORTED


async def test_the_same_request_gets_the_same_reply() -> None:
    assert await echo().complete(call(CHAT)) == await echo().complete(call(CHAT))


async def test_a_delay_comes_before_a_reply_and_before_each_chunk() -> None:
    clock = SteppingClock()
    provider = echo(clock, delay_us=5)
    await provider.complete(call(CHAT))
    assert clock.slept_us == [5]
    chunks = await drain(await provider.stream(call(CHAT)))
    assert clock.slept_us == [5] * (1 + len(chunks))


async def test_a_share_of_calls_fails_with_the_wanted_status() -> None:
    provider = echo(None, 0.29, 0.3, 0.1, fail_rate=0.3, fail_status=429)
    with pytest.raises(ProviderFailed) as failed:
        await provider.complete(call(CHAT))
    assert (failed.value.failure.kind, failed.value.failure.status) == (FailureKind.RATE_LIMITED, 429)
    await provider.complete(call(CHAT))
    with pytest.raises(ProviderFailed):
        await provider.stream(call(CHAT))


@pytest.mark.parametrize("count", [0, 2])
async def test_a_stream_told_to_stop_breaks_after_its_chunks(count: int) -> None:
    stream = await echo(stop_after=count).stream(call(CHAT))
    for _ in range(count):
        await anext(stream)
    with pytest.raises(ProviderFailed) as failed:
        await anext(stream)
    assert failed.value.failure.kind is FailureKind.BROKEN_REPLY
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_a_closed_stream_says_no_more() -> None:
    stream = await echo().stream(call(CHAT))
    await stream.aclose()
    await stream.aclose()
    assert await drain(stream) == []


@pytest.mark.parametrize(
    "config", [{"fail_rate": 1.1}, {"fail_rate": -0.1}, {"fail_status": 200}, {"delay_us": -1}, {"stop_after": -1}]
)
def test_a_senseless_echo_is_refused(config: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="echo"):
        echo(**config)  # type: ignore[arg-type]  # by name


async def test_a_request_of_any_shape_gets_an_answer() -> None:
    for messages in (None, [], ["junk"], [{"role": "user"}], [{"role": "user", "content": 5}]):
        reply = json.loads((await echo().complete(call({"model": "mine", "messages": messages}))).body)
        assert reply["choices"][0]["message"]["content"] == ""
    assert isinstance(await echo().complete(_with_lone_surrogate()), Reply)


def _with_lone_surrogate() -> Call:
    return call(body=b'{"model":"mine","messages":[{"role":"user","content":"\\ud83d"}]}')
