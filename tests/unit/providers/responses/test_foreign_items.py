"""Items that the gateway made, in a conversation that goes to a provider with responses of its own."""

from typing import Any

import pytest

from adapters.outbound.providers.responses_via_chat.foreign_items import without_own
from adapters.outbound.providers.responses_via_chat.reply import response_document
from tests.unit.providers.responses.asking import a_call, completion

BLOCK = {"type": "thinking", "thinking": "hm", "signature": "s"}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def left(*items: Any) -> list[Any]:
    fields = without_own({"input": list(items), "model": "m"})
    assert fields["model"] == "m"
    kept = fields["input"]
    assert isinstance(kept, list)
    return kept


@pytest.mark.parametrize("thoughts", [{"thinking_blocks": [BLOCK]}, {}])
def test_own_thoughts_and_marks_are_left_out_and_the_rest_stays(thoughts: dict[str, Any]) -> None:
    message = {"reasoning_content": "hm", **thoughts, "content": "x"}
    marked = {**CALL, "extra_content": {"google": {}}}
    output: Any = response_document(completion({**message, "tool_calls": [marked]}, "tool_calls"), a_call())["output"]
    thought, text, call = output

    assert (thought["type"], call["extra_content"]) == ("reasoning", {"google": {}})
    del call["extra_content"]
    assert left(thought, text, {**call, "extra_content": {"google": {}}}) == [text, call]


def test_thoughts_without_a_name_that_are_not_sealed_can_be_found_nowhere() -> None:
    assert left({"type": "reasoning", "summary": [], "encrypted_content": None}) == []


@pytest.mark.parametrize(
    "given",
    [
        "hello",
        None,
        [
            {"type": "reasoning", "id": "rs_" + "0" * 50, "summary": []},
            {"type": "reasoning", "id": "rs_0123456789abcdef0123456789abcdef", "summary": []},
            {"type": "reasoning", "summary": [], "encrypted_content": "gAAA"},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            "x",
        ],
    ],
)
def test_what_others_made_is_left_as_it_is(given: object) -> None:
    fields = {"input": given}
    assert without_own(fields) is fields
