"""OpenAI's own client reads a replay as it reads the reply."""

import asyncio
import json
from typing import Any, Final

import httpx
import openai
import pytest

from adapters.inbound.http.sse import OPENAI, EventStream
from application.replies.replay import PIECE_CHARACTERS, replay
from domain.chat import Chunk, Endpoint
from domain.identifiers import RequestId
from tests.unit.replies.replies import USAGE, Json

USAGE_TOLD = {"prompt_tokens": 7, "completion_tokens": 11, "total_tokens": 18}
HEAD: Json = {"id": "chatcmpl-1", "created": 1, "model": "m", "system_fingerprint": "fp", "usage": USAGE_TOLD}
TEXT = "Grüße 😀 e\u0301\r\n\u2028\n" * PIECE_CHARACTERS
TOKEN = {"token": "a", "bytes": [97], "logprob": -0.5, "top_logprobs": []}
LOGPROBS = {"content": [TOKEN] * 200, "refusal": None}
TOOLS: Final[list[Any]] = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}
    for name in ("weather", "time")
]
CALLS: Final[list[Json]] = [
    {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": json.dumps({"city": TEXT})}},
    {"id": "call_2", "type": "function", "function": {"name": "time", "arguments": "{}"}},
]
MESSAGES: Final[list[Any]] = [{"role": "user", "content": "Hi"}]


class Batches:
    """A stream for the gateway's own framing."""

    def __init__(self, batches: list[tuple[Chunk, ...]]) -> None:
        self._batches = iter(batches)

    def __aiter__(self) -> "Batches":
        return self

    async def __anext__(self) -> tuple[Chunk, ...]:
        for batch in self._batches:
            return batch
        raise StopAsyncIteration

    async def aclose(self) -> None:
        pass


async def framed(batches: list[tuple[Chunk, ...]]) -> bytes:
    return b"".join([events async for events in EventStream(Batches(batches), RequestId("r"), OPENAI)])


def client(endpoint: Endpoint, whole: Json) -> openai.OpenAI:
    """Of a server that has one reply, and replays it where a stream is asked for."""
    body = json.dumps(whole).encode()

    def answer(request: httpx.Request) -> httpx.Response:
        if not json.loads(request.content).get("stream"):
            return httpx.Response(200, content=body, headers={"content-type": "application/json"})
        events = asyncio.run(framed(replay(endpoint, body, USAGE, include_usage=True)))
        return httpx.Response(200, content=events, headers={"content-type": "text/event-stream"})

    # The client that it knows since version 1; its types name another.
    http_client: Any = httpx.Client(transport=httpx.MockTransport(answer))
    return openai.OpenAI(api_key="none", base_url="http://gateway/v1", http_client=http_client, max_retries=0)


def chat(*choices: Json) -> Json:
    return {**HEAD, "object": "chat.completion", "choices": [*choices]}


def choice(message: Json, finish_reason: str = "stop", **more: object) -> Json:
    said = {"role": "assistant", "content": None, "refusal": None, **message}
    return {"index": 0, "message": said, "finish_reason": finish_reason, "logprobs": None, **more}


def dumped(model: Any) -> Any:
    """Without what a stream's accumulation adds to the same."""
    document = model.model_dump(exclude_none=True)
    for one in document["choices"]:
        one["message"].pop("parsed", None)
        for call in one["message"].get("tool_calls", ()):
            call.pop("index", None)
            call["function"].pop("parsed_arguments", None)
    return document


@pytest.mark.parametrize(
    "whole",
    [
        chat(choice({"content": TEXT})),
        chat(choice({"content": TEXT}, logprobs=LOGPROBS)),
        chat(choice({"refusal": TEXT})),
        chat(choice({"tool_calls": CALLS}, "tool_calls")),
        chat(choice({"content": "Let me see", "tool_calls": CALLS, "reasoning_content": TEXT}, "tool_calls")),
        chat(choice({"function_call": CALLS[0]["function"]}, "function_call")),
        chat(choice({"content": "one"}), choice({"content": "two"}, index=1)),
    ],
)
def test_the_sdk_accumulates_the_reply_from_a_replay(whole: Json) -> None:
    with client(Endpoint.CHAT, whole) as sdk:
        reply = sdk.chat.completions.create(model="m", messages=MESSAGES, tools=TOOLS)
        with sdk.chat.completions.stream(model="m", messages=MESSAGES, tools=TOOLS) as stream:
            streamed = stream.get_final_completion()
    assert dumped(streamed) == dumped(reply)


def test_the_sdk_tells_the_end_of_each_tool_call() -> None:
    with (
        client(Endpoint.CHAT, chat(choice({"tool_calls": CALLS}, "tool_calls"))) as sdk,
        sdk.chat.completions.stream(model="m", messages=MESSAGES, tools=TOOLS) as stream,
    ):
        done = [event for event in stream if event.type == "tool_calls.function.arguments.done"]
    assert [(event.index, event.name, event.arguments) for event in done] == [
        (index, call["function"]["name"], call["function"]["arguments"]) for index, call in enumerate(CALLS)
    ]


def test_the_sdk_reads_every_chunk_and_the_usage() -> None:
    with client(Endpoint.CHAT, chat(choice({"content": TEXT}))) as sdk:
        chunks = list(sdk.chat.completions.create(model="m", messages=MESSAGES, stream=True))
    assert "".join(one.delta.content or "" for chunk in chunks for one in chunk.choices) == TEXT
    assert [chunk.usage is None for chunk in chunks] == [True] * (len(chunks) - 1) + [False]
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert {(chunk.id, chunk.created, chunk.model, chunk.system_fingerprint) for chunk in chunks} == {
        ("chatcmpl-1", 1, "m", "fp")
    }


def test_the_sdk_reads_completions() -> None:
    logprobs = {"tokens": ["a"], "token_logprobs": [-0.5], "top_logprobs": [{"a": -0.5}], "text_offset": [0]}
    choices = [
        {"index": index, "text": text, "logprobs": logprobs, "finish_reason": "stop"}
        for index, text in enumerate((TEXT, "two"))
    ]
    whole = {**HEAD, "object": "text_completion", "choices": choices}
    with client(Endpoint.COMPLETIONS, whole) as sdk:
        reply = sdk.completions.create(model="m", prompt="Hi")
        chunks = list(sdk.completions.create(model="m", prompt="Hi", stream=True))
    parts = [part for chunk in chunks for part in chunk.choices]
    for one in reply.choices:
        mine = [part for part in parts if part.index == one.index]
        assert "".join(part.text for part in mine) == one.text
        assert [part.logprobs for part in mine if part.logprobs] == [one.logprobs]
        assert mine[-1].finish_reason == one.finish_reason
    assert chunks[-1].usage == reply.usage
    assert {chunk.object for chunk in chunks} == {"text_completion"}
