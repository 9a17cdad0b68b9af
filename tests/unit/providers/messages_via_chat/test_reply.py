"""Chat completions as messages."""

from typing import Any

import pytest
from anthropic.types import Message

from adapters.outbound.providers.messages_via_chat.reply import message
from domain.failure import FailureKind, ProviderFailed
from tests.unit.providers.messages_via_chat.calls import TOLD_USAGE, message_call


def answered(finish: str = "stop", usage: Any = TOLD_USAGE, choice: Any = None, **told: Any) -> dict[str, Any]:
    whole = {"index": 0, "message": {"role": "assistant", **told}, "finish_reason": finish, **(choice or {})}
    document = message({"choices": [whole], "usage": usage}, message_call(stop_sequences=["END"]))
    Message.model_validate(document, strict=True)
    return document


def call(arguments: str) -> dict[str, Any]:
    return {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": arguments}}


def test_text_becomes_one_block_of_a_message_under_the_clients_name_for_the_model() -> None:
    told = answered(content="Hello")
    assert told["content"] == [{"type": "text", "text": "Hello"}]
    assert (told["id"], told["model"], told["role"]) == ("msg_01890000000070008000000000000001", "mine", "assistant")


def test_thoughts_text_and_calls_come_in_that_order() -> None:
    told = answered("tool_calls", content="Wait", reasoning_content="Hm", tool_calls=[call('{"a":1}')])
    assert told["content"] == [
        {"type": "thinking", "thinking": "Hm", "signature": ""},
        {"type": "text", "text": "Wait"},
        {"type": "tool_use", "id": "call_1", "name": "look", "input": {"a": 1}},
    ]


def test_signed_thoughts_win_over_their_bare_text() -> None:
    blocks = [
        {"type": "thinking", "thinking": "Hm", "signature": "s", "index": 0},
        {"type": "redacted_thinking", "data": "d", "index": 1},
    ]
    told = answered(content="x", reasoning_content="Hm", thinking_blocks=blocks)
    assert told["content"][:2] == [
        {"type": "thinking", "thinking": "Hm", "signature": "s"},
        {"type": "redacted_thinking", "data": "d"},
    ]


@pytest.mark.parametrize(
    ("arguments", "given"),
    [("", {}), ("{}", {}), ('{"a"', {"INVALID_JSON": '{"a"'}), ("[1]", {"INVALID_JSON": "[1]"})],
)
def test_what_is_no_object_stands_in_one(arguments: str, given: dict[str, Any]) -> None:
    assert answered("tool_calls", content=None, tool_calls=[call(arguments)])["content"][0]["input"] == given


@pytest.mark.parametrize(
    ("finish", "reason"),
    [("stop", "end_turn"), ("length", "max_tokens"), ("content_filter", "refusal"), ("eos", "end_turn")],
)
def test_each_finish_reason_has_a_stop_reason(finish: str, reason: str) -> None:
    assert answered(finish, content="x")["stop_reason"] == reason


@pytest.mark.parametrize("finish", ["tool_calls", "stop"])
def test_a_message_with_calls_stops_for_them(finish: str) -> None:
    assert answered(finish, content=None, tool_calls=[call("{}")])["stop_reason"] == "tool_use"


@pytest.mark.parametrize("choice", [{"stop_sequence": "END"}, {"stop_reason": "END"}])
def test_a_sequence_that_the_provider_names_is_told(choice: dict[str, Any]) -> None:
    told = answered(content="x", choice=choice)
    assert (told["stop_reason"], told["stop_sequence"]) == ("stop_sequence", "END")


@pytest.mark.parametrize("choice", [{"stop_reason": "</s>"}, {"stop_reason": 7}])
def test_a_token_of_the_models_own_is_no_sequence(choice: dict[str, Any]) -> None:
    assert answered(content="x", choice=choice)["stop_reason"] == "end_turn"


def test_a_refusal_is_said_and_explained() -> None:
    told = answered(content=None, refusal="No.")
    assert told["content"] == [{"type": "text", "text": "No."}]
    assert told["stop_reason"] == "refusal"
    assert told["stop_details"]["explanation"] == "No."


def test_cached_tokens_stand_beside_the_others() -> None:
    details = {"cached_tokens": 4, "cache_creation_tokens": 2}
    usage = {**TOLD_USAGE, "prompt_tokens_details": details, "completion_tokens_details": {"reasoning_tokens": 5}}
    assert answered(content="x", usage=usage)["usage"] == {
        "input_tokens": 5,
        "cache_creation_input_tokens": 2,
        "cache_read_input_tokens": 4,
        "output_tokens": 7,
        "output_tokens_details": {"thinking_tokens": 5},
    }


def test_usage_that_nobody_told_is_guessed() -> None:
    usage = answered(content="x" * 40, usage=None)["usage"]
    assert usage["input_tokens"] == 3
    assert usage["output_tokens"] > 9


def test_a_reply_without_a_choice_is_broken() -> None:
    with pytest.raises(ProviderFailed) as raised:
        message({"choices": []}, message_call())
    assert raised.value.failure.kind is FailureKind.BROKEN_REPLY
