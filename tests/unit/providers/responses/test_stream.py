"""The events that a chat's chunks become: each of them valid, together the whole reply."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import omit
from openai._models import construct_type
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import Response, ResponseStreamEvent

from domain.chat import Chunk
from domain.failure import ProviderFailed
from tests.unit.providers.responses.asking import (
    COUNTED,
    DIALECT,
    a_call,
    chunk_of,
    completion,
    events_in,
    told_in,
    usage_chunk,
)


def rebuilt(chunks: list[Chunk]) -> dict[str, Any]:
    """What the official client makes of a stream; its own sums of deltas must agree with what is told at the end."""
    state: Any = ResponseStreamState(text_format=omit, input_tools=omit)
    last: Any = None
    for chunk in chunks:
        event: Any = construct_type(type_=ResponseStreamEvent, value=json.loads(chunk.data))
        for fired in state.handle_event(event):
            last = fired
    response = last.response
    snapshot = state._ResponseStreamState__current_snapshot
    for told, added in zip(response.output, snapshot.output, strict=True):
        if told.type == "function_call":
            assert added.arguments == told.arguments
        if told.type == "message":
            assert [getattr(part, "text", None) for part in added.content if part.type == "output_text"] == [
                part.text for part in told.content if part.type == "output_text"
            ]
    document: dict[str, Any] = json.loads(chunks[-1].data)["response"]
    return document


def chunks_of(message: dict[str, Any], finish: str, size: int) -> Iterator[Chunk]:
    yield chunk_of({"role": "assistant", "content": ""})
    for name in ("reasoning_content", "content", "refusal"):
        text = message.get(name) or ""
        for start in range(0, len(text), size):
            yield chunk_of({name: text[start : start + size]})
    for index, call in enumerate(message.get("tool_calls") or ()):
        opening = {**call, "index": index, "function": {"name": call["function"]["name"], "arguments": ""}}
        yield chunk_of({"tool_calls": [opening]})
        arguments = call["function"]["arguments"]
        for start in range(0, len(arguments), size):
            delta = {"index": index, "function": {"arguments": arguments[start : start + size]}}
            yield chunk_of({"tool_calls": [delta]})
    yield chunk_of({}, finish)
    yield usage_chunk()


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
CALLS = st.lists(
    st.builds(
        lambda name, arguments: {"type": "function", "function": {"name": name, "arguments": arguments}},
        st.text("abc", min_size=1, max_size=5),
        TEXTS,
    ),
    max_size=3,
)


@given(
    TEXTS, TEXTS, TEXTS, CALLS, st.sampled_from(["stop", "length", "content_filter", "tool_calls"]), st.integers(1, 7)
)
def test_stream_rebuilt_from_its_events_is_the_whole_reply(
    thought: str, text: str, refusal: str, calls: list[dict[str, Any]], finish: str, size: int
) -> None:
    calls = [{**call, "id": f"call_{index}"} for index, call in enumerate(calls)]
    message = {"reasoning_content": thought, "content": text, "refusal": refusal, "tool_calls": calls}

    chunks = told_in(chunks_of(message, finish, size))

    events_in(chunks)
    assert rebuilt(chunks) == DIALECT.reply(completion(message, finish), a_call())


def test_events_come_in_the_documented_order() -> None:
    chunks = told_in(chunks_of({"reasoning_content": "hm", "content": "ab"}, "stop", 1))

    assert [event["type"] for event in events_in(chunks)] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.reasoning_text.delta",
        "response.reasoning_text.delta",
        "response.reasoning_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]


def test_exactly_the_last_event_tells_the_usage() -> None:
    chunks = told_in(chunks_of({"content": "ab"}, "stop", 1))

    assert [chunk.usage for chunk in chunks if chunk.usage] == [COUNTED]
    assert chunks[-1].usage == COUNTED
    assert all(chunk.visible for chunk in chunks)


def test_only_what_the_model_says_is_content() -> None:
    chunks = told_in(chunks_of({"content": "ab"}, "stop", 1))
    events = events_in(chunks)

    said = [event["type"] for event, chunk in zip(events, chunks, strict=True) if chunk.content]
    assert said == ["response.output_text.delta"] * 2


def test_response_that_says_nothing_ends_with_content() -> None:
    chunks = told_in([chunk_of({"role": "assistant"}), chunk_of({}, "stop")])

    assert [chunk.content for chunk in chunks] == [False, False, True]
    assert json.loads(chunks[-1].data)["response"]["output"] == []


def test_interleaved_calls_keep_their_places() -> None:
    def delta(index: int, **call: object) -> Chunk:
        return chunk_of({"tool_calls": [{"index": index, **call}]})

    chunks = told_in(
        [
            delta(0, id="a", function={"name": "f", "arguments": ""}),
            delta(1, id="b", function={"name": "g", "arguments": ""}),
            delta(0, function={"arguments": "{"}),
            delta(1, function={"arguments": "[]"}),
            delta(0, function={"arguments": "}"}),
            chunk_of({}, "tool_calls"),
        ]
    )

    events_in(chunks)
    assert [(item["name"], item["call_id"], item["arguments"]) for item in rebuilt(chunks)["output"]] == [
        ("f", "a", "{}"),
        ("g", "b", "[]"),
    ]


def test_blocks_of_thought_and_signatures_arrive_whole() -> None:
    block = {"type": "thinking", "thinking": "hm", "signature": "s"}
    call = {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}, "extra_content": {"x": 1}}

    chunks = told_in(
        [
            chunk_of({"reasoning_content": "hm"}),
            chunk_of({"thinking_blocks": [{"index": 0, **block}]}),
            chunk_of({"tool_calls": [call]}),
            chunk_of({}, "tool_calls"),
        ]
    )

    whole = {"id": "a", "type": "function", "function": call["function"], "extra_content": {"x": 1}}
    message = {"reasoning_content": "hm", "thinking_blocks": [block], "tool_calls": [whole]}
    expected = DIALECT.reply(completion(message, "tool_calls"), a_call())
    assert rebuilt(chunks)["output"] == expected["output"]


def test_logprobs_and_citations_stand_beside_their_text() -> None:
    scored = {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}
    cited = {"type": "url_citation", "url_citation": {"start_index": 0, "end_index": 1, "title": "t", "url": "u"}}

    chunks = told_in(
        [
            chunk_of({"content": "a"}, logprobs={"content": [scored]}),
            chunk_of({"annotations": [cited]}),
            chunk_of({}, "stop"),
        ]
    )

    events = {event["type"]: event for event in events_in(chunks)}
    assert events["response.output_text.delta"]["logprobs"] == [scored]
    assert events["response.output_text.annotation.added"]["annotation"]["url"] == "u"
    part = rebuilt(chunks)["output"][0]["content"][0]
    assert (part["logprobs"], part["annotations"][0]["title"]) == ([scored], "t")


def test_usage_beside_the_finish_reason_is_told_as_well() -> None:
    document = json.loads(chunk_of({}, "stop").data)
    document["usage"] = {"prompt_tokens": 11, "completion_tokens": 7}
    finish = Chunk(json.dumps(document).encode(), usage=COUNTED)

    chunks = told_in([chunk_of({"content": "a"}), finish])

    assert chunks[-1].usage == COUNTED
    assert Response.model_validate(json.loads(chunks[-1].data)["response"]).usage is not None


def test_number_that_json_has_not_breaks_the_stream() -> None:
    broken = chunk_of({"content": "a"}).data.replace(
        b'"finish_reason"', b'"logprobs": {"content": [{"logprob": NaN}]}, "x"'
    )

    with pytest.raises(ProviderFailed):
        told_in([Chunk(broken)])
