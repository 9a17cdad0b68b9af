"""Turns of other providers in a conversation that goes to Anthropic itself."""

import re
from typing import Any

from adapters.outbound.providers.anthropic.foreign_turns import acceptable

SIGNED = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
UNSIGNED = {"type": "thinking", "thinking": "hm", "signature": ""}
TEXT = {"type": "text", "text": "Hi"}
USER = {"role": "user", "content": "Hi"}


def accepted(*blocks: dict[str, Any]) -> list[dict[str, Any]]:
    fields = acceptable({"messages": [{"role": "assistant", "content": list(blocks)}]})
    messages: Any = fields["messages"]
    content: list[dict[str, Any]] = messages[0]["content"]
    return content


def test_a_conversation_of_anthropics_own_is_left_as_it_is() -> None:
    call = {"type": "tool_use", "id": "toolu_01-x", "name": "f", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "toolu_01-x", "content": "1"}
    redacted = {"type": "redacted_thinking", "data": "x"}
    turns = [
        USER,
        {"role": "assistant", "content": [SIGNED, redacted, TEXT, call]},
        {"role": "user", "content": [result]},
    ]
    fields = {"messages": turns, "model": "m"}

    assert acceptable(fields) is fields


def test_what_is_no_conversation_is_left_to_anthropic() -> None:
    for messages in (None, "x", ["x", {"content": ["x", 7, {"type": ["x"]}]}]):
        fields = {"messages": messages}
        assert acceptable(fields) is fields


def test_thoughts_that_nobody_signed_are_left_out() -> None:
    assert accepted(UNSIGNED, SIGNED, TEXT) == [SIGNED, TEXT]
    assert acceptable({"messages": [USER, {"role": "assistant", "content": [UNSIGNED]}, USER]}) == {
        "messages": [USER, USER]
    }


def test_ids_of_others_become_ids_that_are_accepted_the_same_for_call_and_result() -> None:
    calls: list[dict[str, Any]] = [
        {"type": "tool_use", "id": each, "name": "f", "input": {}} for each in ("functions.f:0", "functions_f.0")
    ]
    result = {"type": "tool_result", "tool_use_id": "functions.f:0", "content": "1"}
    first, second, answered = accepted(*calls, result)

    assert first["id"] == answered["tool_use_id"] != second["id"]
    assert all(re.fullmatch("[a-zA-Z0-9_-]+", one["id"]) for one in (first, second))


def test_the_mark_of_another_provider_on_a_call_is_left_out() -> None:
    call = {"type": "tool_use", "id": "c", "name": "f", "input": {}}
    assert accepted({**call, "extra_content": {"google": {"thought_signature": "s"}}}) == [call]
