"""Responses in the cache: streams and whole replies share one entry."""

import json
from dataclasses import replace
from typing import Any

import pytest
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from application.output_count import written_characters
from application.replies.assembly import ReplyAssembly, keepable
from application.replies.replay import replay
from domain.caching import CacheScope, canonical_request, is_cacheable
from domain.chat import Chunk, Endpoint, LlmRequest, Reply, Usage

USAGE = Usage(11, 7, 3)
CALL = {
    "id": "fc",
    "type": "function_call",
    "status": "completed",
    "call_id": "c",
    "name": "f",
    "arguments": "é" * 1500,
}
OUTPUT: list[dict[str, Any]] = [
    {
        "id": "rs",
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "short"}],
        "content": [{"type": "reasoning_text", "text": "long"}],
        "status": "completed",
    },
    {
        "id": "msg",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [
            {
                "type": "output_text",
                "text": "x" * 3000,
                "annotations": [{"type": "file_path", "file_id": "f", "index": 0}],
                "logprobs": [{"token": "x", "logprob": -1.0, "bytes": [120], "top_logprobs": []}],
            },
            {"type": "refusal", "refusal": "no"},
        ],
    },
    CALL,
    {"id": "ws", "type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "q"}},
]
_EVENTS: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


def response(status: str = "completed", **more: object) -> dict[str, Any]:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "model": "m",
        "output": OUTPUT,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": None,
        **more,
    }


def body_of(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def played(document: dict[str, Any]) -> list[tuple[Chunk, ...]]:
    return replay(Endpoint.RESPONSES, body_of(document), USAGE, include_usage=True)


def assembled(batches: list[tuple[Chunk, ...]]) -> Reply | None:
    assembly = ReplyAssembly(Endpoint.RESPONSES)
    for batch in batches:
        assembly.add(batch)
    return assembly.reply()


def a_request(**fields: object) -> LlmRequest:
    asked = {"model": "m", "input": "x", "temperature": 0, **fields}
    return LlmRequest(Endpoint.RESPONSES, "m", b"", asked)


def test_replay_says_the_same() -> None:
    assert assembled(played(response())) == Reply(body_of(response()), USAGE)


def test_replay_consists_of_events_that_the_client_knows() -> None:
    chunks = [chunk for batch in played(response()) for chunk in batch]
    events = [json.loads(chunk.data) for chunk in chunks]

    for event in events:
        _EVENTS.validate_python(event, strict=True)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    deltas: dict[str, str] = {}
    for event in events:
        if event["type"].endswith(".delta"):
            deltas[event["type"]] = deltas.get(event["type"], "") + event["delta"]
    assert deltas == {
        "response.reasoning_summary_text.delta": "short",
        "response.reasoning_text.delta": "long",
        "response.output_text.delta": "x" * 3000,
        "response.refusal.delta": "no",
        "response.function_call_arguments.delta": CALL["arguments"],
    }
    assert [chunk.usage for chunk in chunks if chunk.usage] == [USAGE]
    assert chunks[-1].usage == USAGE


def test_stream_without_its_end_is_no_reply() -> None:
    chunks = [chunk for batch in played(response()) for chunk in batch]

    assert assembled([tuple(chunks[:-1])]) is None


def test_text_that_looks_like_the_end_is_none() -> None:
    delta = {"type": "response.output_text.delta", "delta": '"type":"response.completed"', "response": response()}

    assert assembled([(Chunk(body_of(delta)),)]) is None


def test_stream_that_is_no_json_gives_up() -> None:
    assembly = ReplyAssembly(Endpoint.RESPONSES)
    assembly.add((Chunk(b"response.completed"),))

    assert assembly.gave_up
    assert assembly.reply() is None


def test_response_larger_than_allowed_is_no_reply() -> None:
    assembly = ReplyAssembly(Endpoint.RESPONSES, 100)
    for batch in played(response()):
        assembly.add(batch)

    assert assembly.reply() is None


@pytest.mark.parametrize(
    ("document", "kept"),
    [
        (response(), True),
        (response("incomplete"), False),
        (response("failed"), False),
        (response("queued"), False),
        (response(error={"code": "x"}), False),
        (response(output=[]), False),
        (response(output=None), False),
        (response(output=["x"]), False),
    ],
)
def test_only_completed_responses_are_kept(document: dict[str, Any], *, kept: bool) -> None:
    assert keepable(Endpoint.RESPONSES, Reply(body_of(document))) is kept
    if not kept:
        with pytest.raises(ValueError, match="expected"):
            played(document)


def test_characters_that_were_written_are_those_of_the_output() -> None:
    document = response(instructions="ours" * 100, output=[OUTPUT[2]])

    assert written_characters(body_of(document)) == 1500 + len("f")


@pytest.mark.parametrize(
    ("fields", "cacheable"),
    [
        ({}, True),
        ({"store": True}, True),
        ({"temperature": None}, False),
        ({"background": True}, False),
        ({"conversation": "conv_1"}, False),
        ({"prompt": {"id": "p"}}, False),
    ],
)
def test_response_that_hangs_on_what_is_kept_elsewhere_is_not_cached(
    fields: dict[str, Any], *, cacheable: bool
) -> None:
    assert is_cacheable(a_request(**fields)) is cacheable


def test_user_counts_where_the_response_repeats_it() -> None:
    def named(user: str) -> object:
        return canonical_request(a_request(user=user), CacheScope.TEAM, "t", [], frozenset())

    assert named("a") != named("b")


def test_requests_for_other_features_share_no_reply() -> None:
    def key(*betas: str) -> object:
        return canonical_request(replace(a_request(), betas=betas), CacheScope.TEAM, "t", [], frozenset())

    assert key("a", "b") == key("b", "a")
    assert len({repr(key()), repr(key("a")), repr(key("a", "b"))}) == 3
