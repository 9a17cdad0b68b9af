"""Whether a provider heard what it was to hear, in formats that differ."""

from dataclasses import replace

from tests.e2e.matrix.stage import Part
from tests.wires.wire import Heard, Said, ToolCall


def assert_heard(part: Part, expected: Heard, *, streamed: bool = False) -> None:
    """The provider was asked once, and for exactly that.

    Where `expected` names no maximum or choice, the default may be said aloud: one format demands a maximum.
    """
    heard = part.lane.last
    assert len(part.lane.requests) == 1
    expected = replace(expected, model=part.lane.model, stream=streamed)
    if expected.max_tokens is None:
        heard = replace(heard, max_tokens=None)
    if expected.tool_choice is None and heard.tool_choice == "auto":
        heard = replace(heard, tool_choice=None)
    if expected.tool_choice == "auto" and heard.tool_choice is None:
        heard = replace(heard, tool_choice="auto")  # what is not said is the default
    if heard.tool_choice == "required" and heard.tools == (expected.tool_choice,):
        # A format that can't name a tool is given no other.
        heard = replace(heard, tool_choice=expected.tool_choice, tools=expected.tools)
    if expected.calls and not any(call.id for call in heard.calls):
        expected = _without_ids(expected)
    assert heard == expected, f"heard {heard}, expected {expected}"


def assert_ids(part: Part, said: Said, ids: list[str]) -> None:
    """The client got an id for each tool call: the provider's, where its format has any."""
    assert len(set(ids)) == len(said.calls)
    assert all(ids)
    if carries_ids(part, said):
        assert ids == [call.id for call in said.calls]


def carries_ids(part: Part, said: Said) -> bool:
    """Whether the format has a place for the ids of tool calls."""
    reply = b"".join(part.wire.whole(said, part.lane.model).pieces)
    return all(call.id.encode() in reply for call in said.calls)


def _without_ids(heard: Heard) -> Heard:
    names = {call.id: call.name for call in heard.calls}
    return replace(
        heard,
        calls=tuple(ToolCall("", call.name, call.arguments) for call in heard.calls),
        results=tuple((names[call_id], text) for call_id, text in heard.results),
    )
