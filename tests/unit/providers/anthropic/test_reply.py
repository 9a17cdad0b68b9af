import json
from typing import Any

import pytest
from openai.types.chat import ChatCompletion

from domain.chat import Usage
from domain.failure import FailureKind, ProviderFailed
from tests.unit.providers.anthropic.streaming import DIALECT, HEAD

THOUGHT = {"type": "thinking", "thinking": "Hm. ", "signature": "c2ln"}
HIDDEN = {"type": "redacted_thinking", "data": "ZGF0YQ=="}


def message(*content: dict[str, Any], **more: object) -> dict[str, Any]:
    usage = {"input_tokens": 10, "output_tokens": 5}
    return {"type": "message", "content": list(content), "stop_reason": "end_turn", "usage": usage, **more}


def completed(document: dict[str, Any]) -> dict[str, Any]:
    whole, _ = DIALECT.completion(document, HEAD)
    ChatCompletion.model_validate(whole)
    return json.loads(json.dumps(whole))  # type: ignore[no-any-return]


def choice(*content: dict[str, Any], **more: object) -> dict[str, Any]:
    made: dict[str, Any] = completed(message(*content, **more))["choices"][0]
    return made


def test_texts_are_one_content_under_the_clients_name_for_the_model() -> None:
    whole = completed(message({"type": "text", "text": "Grü"}, {"type": "text", "text": "ezi"}))
    assert (whole["id"], whole["object"], whole["created"], whole["model"]) == (
        "chatcmpl-1",
        "chat.completion",
        1_700_000_000,
        "mine",
    )
    assert whole["choices"][0]["message"] == {"role": "assistant", "content": "Grüezi", "refusal": None}


def test_tool_calls_come_with_or_without_text() -> None:
    use = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"x": "ü"}}
    call = {"id": "toolu_1", "type": "function", "function": {"name": "look", "arguments": '{"x":"ü"}'}}
    alone = choice(use, {**use, "id": "toolu_2", "input": {}}, stop_reason="tool_use")
    assert (alone["message"]["content"], alone["finish_reason"]) == (None, "tool_calls")
    assert [each["function"]["arguments"] for each in alone["message"]["tool_calls"]] == ['{"x":"ü"}', "{}"]
    both = choice({"type": "text", "text": "I look."}, use)["message"]
    assert (both["content"], both["tool_calls"]) == ("I look.", [call])


def test_thoughts_are_text_and_signed_blocks() -> None:
    said = choice(THOUGHT, HIDDEN, {**THOUGHT, "thinking": "So."}, {"type": "text", "text": "Yes"})["message"]
    assert said["reasoning_content"] == "Hm. So."
    assert said["thinking_blocks"] == [THOUGHT, HIDDEN, {**THOUGHT, "thinking": "So."}]


@pytest.mark.parametrize(
    ("stop_reason", "finish_reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("of_tomorrow", "stop"),
        (None, "stop"),
        ([], "stop"),
    ],
)
def test_every_stop_reason_has_its_finish_reason(stop_reason: object, finish_reason: str) -> None:
    made = choice({"type": "text", "text": "Yes"}, stop_reason=stop_reason)
    assert made["finish_reason"] == finish_reason
    assert "stop_sequence" not in made


def test_the_stop_sequence_stands_beside_the_reason() -> None:
    made = choice({"type": "text", "text": "Yes"}, stop_reason="stop_sequence", stop_sequence="END")
    assert (made["finish_reason"], made["stop_sequence"]) == ("stop", "END")


def test_a_refusal_says_why_where_anthropic_does() -> None:
    details = {"type": "refusal", "category": "bio", "explanation": "Too dangerous."}
    made = choice(stop_reason="refusal", stop_details=details)
    assert (made["message"]["refusal"], made["message"]["content"]) == ("Too dangerous.", "")
    assert choice(stop_reason="refusal", stop_details={"explanation": None})["message"]["refusal"] is None


def test_tokens_read_from_and_written_to_the_cache_are_part_of_the_prompt() -> None:
    told = {
        "input_tokens": 10,
        "cache_creation_input_tokens": 200,
        "cache_read_input_tokens": 3_000,
        "output_tokens": 50,
        "output_tokens_details": {"thinking_tokens": 40},
    }
    whole, usage = DIALECT.completion(message(usage=told), HEAD)
    assert usage == Usage(3_210, 50, 3_000)
    assert whole["usage"] == {
        "prompt_tokens": 3_210,
        "completion_tokens": 50,
        "total_tokens": 3_260,
        "prompt_tokens_details": {"cached_tokens": 3_000, "cache_creation_tokens": 200},
        "completion_tokens_details": {"reasoning_tokens": 40},
    }


def test_usage_without_a_cache_says_nothing_of_one() -> None:
    shown = completed(message(usage={"input_tokens": 1, "output_tokens": 2, "cache_read_input_tokens": None}))["usage"]
    assert shown == {
        "prompt_tokens": 1,
        "completion_tokens": 2,
        "total_tokens": 3,
        "prompt_tokens_details": {"cached_tokens": 0},
    }


@pytest.mark.parametrize("usage", [None, "many", [], {}, {"output_tokens": 3}])
def test_usage_that_says_nothing_is_none(usage: object) -> None:
    whole, counted = DIALECT.completion(message(usage=usage), HEAD)
    assert counted is None
    assert "usage" not in whole


@pytest.mark.parametrize("content", [None, "text", {}, ["text"]])
def test_a_reply_without_blocks_is_broken(content: object) -> None:
    with pytest.raises(ProviderFailed) as raised:
        DIALECT.completion({"content": content}, HEAD)
    assert raised.value.failure.kind is FailureKind.BROKEN_REPLY
