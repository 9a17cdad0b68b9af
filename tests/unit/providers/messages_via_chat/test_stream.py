"""Chunks of a chat as a message's events, rebuilt by the official client."""

import json
from typing import Any

import pytest
from anthropic.types import Message
from hypothesis import given
from hypothesis import strategies as st

from adapters.outbound.providers.messages_via_chat.reply import message
from domain.chat import Chunk
from domain.failure import ProviderFailed
from tests.unit.providers.messages_via_chat.calls import (
    TOLD_USAGE,
    USAGE,
    chunk,
    documents,
    events_of,
    message_call,
    rebuilt,
    tool_delta,
)

ROLE = chunk(role="assistant", content="")
END = (chunk("stop"), chunk(usage=USAGE))


def blocks(*chunks: Chunk) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = rebuilt(events_of([ROLE, *chunks, *END]))["content"]
    return content


def test_a_text_is_one_block_between_start_and_stop() -> None:
    events = events_of([ROLE, chunk(content="Hel"), chunk(content="lo"), *END])
    assert [document["type"] for document in documents(events)] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert all(event.data.startswith(b'{"type":"') for event in events)
    assert rebuilt(events)["content"] == [{"type": "text", "text": "Hello"}]


def test_only_output_and_the_end_are_content() -> None:
    events = events_of([ROLE, chunk(content="x"), *END])
    told = [document["type"] for event, document in zip(events, documents(events), strict=True) if event.content]
    assert told == ["content_block_delta", "message_delta"]
    assert all(event.visible for event in events)


def test_usage_that_comes_after_the_finish_reason_is_told_once() -> None:
    events = events_of([ROLE, chunk(content="x"), *END])
    assert [event.usage for event in events if event.usage] == [USAGE]
    assert rebuilt(events)["usage"] == {
        "input_tokens": 7,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 4,
        "output_tokens": 7,
    }


def test_usage_that_nobody_tells_is_guessed_for_the_client_alone() -> None:
    events = events_of([ROLE, chunk(content="x" * 40), chunk("stop")])
    assert not any(event.usage for event in events)
    assert rebuilt(events)["usage"]["input_tokens"] == 3


def test_thoughts_come_before_the_text_and_keep_their_signature() -> None:
    signed = {"index": 0, "type": "thinking", "thinking": "Hm.", "signature": "sig"}
    told = blocks(
        chunk(reasoning_content="Hm"),
        chunk(reasoning_content="."),
        chunk(thinking_blocks=[signed]),
        chunk(thinking_blocks=[{"index": 1, "type": "redacted_thinking", "data": "d"}]),
        chunk(content="Yes"),
    )
    assert told == [
        {"type": "thinking", "thinking": "Hm.", "signature": "sig"},
        {"type": "redacted_thinking", "data": "d"},
        {"type": "text", "text": "Yes"},
    ]


def test_a_whole_thought_that_was_not_told_before_is_told() -> None:
    told = blocks(chunk(thinking_blocks=[{"type": "thinking", "thinking": "Hm", "signature": "s"}]))
    assert told == [{"type": "thinking", "thinking": "Hm", "signature": "s"}]


def test_calls_one_after_the_other_flow_as_they_come() -> None:
    events = events_of([ROLE, tool_delta(0, "", "a"), tool_delta(0, '{"x":1}'), tool_delta(1, '{"y"', "b")])
    before_end = documents(events)[:6]
    assert [document["type"] for document in before_end] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
    ]


def test_interleaved_calls_become_blocks_in_a_row() -> None:
    told = blocks(
        tool_delta(0, '{"x"', "a"),
        tool_delta(1, '{"y"', "b"),
        tool_delta(0, ":1}"),
        chunk(content="so"),
        tool_delta(1, ":2}"),
        tool_delta(2, "", "c"),
    )
    assert [block.get("input", block.get("text")) for block in told if block["type"] == "tool_use"] == [
        {"x": 1},
        {"y": 2},
        {},
    ]
    assert {"type": "text", "text": "so"} in told


def test_a_call_that_was_whole_may_not_go_on() -> None:
    with pytest.raises(ProviderFailed):
        blocks(tool_delta(0, "{}", "a"), tool_delta(1, "{}", "b"), tool_delta(0, "{}"))


def test_an_empty_answer_is_a_message_still() -> None:
    events = events_of([chunk("stop")])
    assert rebuilt(events)["content"] == []
    assert [event.content for event in events] == [False, True, False]


PIECES = st.lists(st.text(min_size=1, max_size=5), max_size=4)
INPUTS = st.dictionaries(st.text(max_size=4), st.one_of(st.integers(), st.text(max_size=5)), max_size=3)


@given(PIECES, PIECES, st.lists(INPUTS, max_size=3), st.sampled_from(["stop", "length", "content_filter"]), st.data())
def test_a_stream_rebuilt_equals_the_whole_reply(
    thoughts: list[str], texts: list[str], inputs: list[dict[str, Any]], finish: str, data: st.DataObject
) -> None:
    arguments = [json.dumps(given) for given in inputs]
    opened = [tool_delta(index, "", f"t{index}") for index in range(len(inputs))]
    letters = [(index, letter) for index, text in enumerate(arguments) for letter in text]
    # In any order between the calls, in its own order within each.
    mixed = data.draw(st.permutations([index for index, _ in letters]))
    left = [list(text) for text in arguments]
    written = [tool_delta(index, left[index].pop(0)) for index in mixed]
    told = [chunk(reasoning_content=piece) for piece in thoughts] + [chunk(content=piece) for piece in texts]
    events = events_of([ROLE, *told, *opened, *written, chunk(finish), chunk(usage=USAGE)])

    calls = [
        {"id": f"call_t{index}", "function": {"name": f"t{index}", "arguments": text}}
        for index, text in enumerate(arguments)
    ]
    said = {"content": "".join(texts), "reasoning_content": "".join(thoughts), "tool_calls": calls}
    choice = {"message": said, "finish_reason": finish}
    whole = message({"choices": [choice], "usage": TOLD_USAGE}, message_call())
    assert rebuilt(events) == Message.model_validate(whole).model_dump(exclude_none=True)
