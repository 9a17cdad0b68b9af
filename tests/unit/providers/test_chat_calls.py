"""Pieces of tool calls in a chat's stream, from servers that count them and from those that don't."""

import json
from typing import Any

import pytest

from adapters.outbound.providers.chat_calls import CallNumbers
from adapters.outbound.providers.messages_via_chat.reply import message
from tests.unit.providers.messages_via_chat.calls import chunk, documents, events_of, message_call, rebuilt
from tests.unit.providers.responses.asking import chunk_of, events_in, told_in

ZERO = {"index": 0}


def piece(index: dict[str, int], call_id: str | None = None, name: str | None = None, said: str = "") -> dict[str, Any]:
    told = {"id": call_id, "function": {"name": name, "arguments": said}}
    return {**index, **({name: value for name, value in told.items() if value is not None})}


def numbers(*pieces: dict[str, Any]) -> list[int]:
    counted = CallNumbers()
    return [counted.number(one) for one in pieces]


@pytest.mark.parametrize(
    ("pieces", "told"),
    [
        ([piece({"index": 3}, "a", "f"), piece({"index": 5}, "b", "f"), piece({"index": 3}, said="x")], [3, 5, 3]),
        (
            [piece(ZERO, "a", "f"), piece(ZERO, "b", "f"), piece(ZERO, said="x"), piece({"index": 1}, "c", "f")],
            [0, 1, 1, 2],
        ),
        ([piece({}, "a", "f"), piece({}, said="x"), piece({}, "b", "f"), piece({}, said="y")], [0, 0, 1, 1]),
        # An id of its own for each piece, as of older servers; or the same one, with the name, again and again.
        ([piece(ZERO, "a", "f"), piece(ZERO, "b", said="x"), piece(ZERO, "c", said="y")], [0, 0, 0]),
        ([piece(ZERO, "a", "f"), piece(ZERO, "a", "f", "x")], [0, 0]),
        # The id may come after the name, and the index be said once.
        ([piece(ZERO, None, "f"), piece(ZERO, "a", "f")], [0, 0]),
        ([piece(ZERO, "a", "f"), piece({"index": 1}, "b", "g"), piece({}, said="x")], [0, 1, 1]),
        # Nobody says where one ends.
        ([piece({}, None, "f"), piece({}, None, "g")], [0, 0]),
        ([{"index": "1", "id": "a", "function": None}, {"id": 7}], [0, 0]),
    ],
)
def test_each_piece_belongs_to_a_call(pieces: list[dict[str, Any]], told: list[int]) -> None:
    assert numbers(*pieces) == told


@pytest.mark.parametrize("index", [{}, ZERO])
def test_calls_that_are_not_counted_are_calls_of_their_own_for_both_dialects(index: dict[str, int]) -> None:
    calls = [piece(index, name, "look", json.dumps({"at": name})) for name in ("a", "b")]

    content = rebuilt(events_of([*(chunk(tool_calls=[one]) for one in calls), chunk("tool_calls")]))["content"]
    assert [(block["id"], block["input"]) for block in content] == [("a", {"at": "a"}), ("b", {"at": "b"})]

    chunks = [*(chunk_of({"tool_calls": [one]}) for one in calls), chunk_of({}, "tool_calls")]
    output = events_in(told_in(chunks))[-1]["response"]["output"]
    assert [(item["call_id"], item["arguments"]) for item in output] == [("a", '{"at": "a"}'), ("b", '{"at": "b"}')]


def test_call_without_an_id_gets_one_that_is_the_same_in_a_stream() -> None:
    calls = [{"index": index, "function": {"name": "f", "arguments": "{}"}} for index in range(2)]
    whole = message({"choices": [{"message": {"tool_calls": calls}, "finish_reason": "tool_calls"}]}, message_call())
    events = events_of([*(chunk(tool_calls=[one]) for one in calls), chunk("tool_calls")])

    expected = ["call_01890000000070008000000000000001", "call_01890000000070008000000000000001_1"]
    content: Any = whole["content"]
    assert [block["id"] for block in content] == expected
    starts = [told["content_block"]["id"] for told in documents(events) if told["type"] == "content_block_start"]
    assert starts == expected
