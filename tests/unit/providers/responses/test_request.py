"""What becomes of a request for a response where there is only chat."""

from typing import Any

import pytest

from adapters.outbound.providers.chat_flavour import ChatFlavour
from adapters.outbound.providers.responses_via_chat.input_items import opened_thoughts, sealed_thoughts
from adapters.outbound.providers.responses_via_chat.request import chat_fields
from domain.failure import FailureKind, ProviderFailed
from tests.unit.providers.responses.asking import asked_of_chat

FUNCTION = {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}, "strict": True}
CHAT_FUNCTION = {"type": "function", "function": {name: FUNCTION[name] for name in FUNCTION if name != "type"}}
CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
OTHER = {"type": "function_call", "call_id": "c2", "name": "g", "arguments": '{"x":1}'}
BLOCK = {"type": "thinking", "thinking": "hm", "signature": "s"}


def said(*items: dict[str, Any]) -> list[dict[str, Any]]:
    messages = asked_of_chat({"input": list(items)})["messages"]
    assert isinstance(messages, list)
    return messages


def refused(fields: dict[str, Any], *, drop_params: bool = False) -> tuple[FailureKind, str | None]:
    with pytest.raises(ProviderFailed) as caught:
        asked_of_chat(fields, drop_params=drop_params)
    return caught.value.failure.kind, caught.value.failure.param


def test_text_and_instructions_become_messages() -> None:
    assert asked_of_chat({"input": "hi", "instructions": "be brief"})["messages"] == [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "hi"},
    ]


def test_parts_of_a_message_become_parts_of_chat() -> None:
    parts = [
        {"type": "input_text", "text": "look"},
        {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "low"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
    ]

    assert said({"role": "user", "content": parts})[0]["content"] == [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="}},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
    ]


def test_developer_becomes_system_and_what_was_said_comes_back_as_said() -> None:
    answer = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}

    assert said(
        {"type": "message", "role": "developer", "content": "rules"},
        {**answer, "content": [{"type": "output_text", "text": "a", "annotations": []}]},
        {**answer, "content": [{"type": "refusal", "refusal": "no"}]},
    ) == [
        {"role": "system", "content": "rules"},
        {"role": "assistant", "content": "a"},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
    ]


def test_parallel_calls_are_one_turn_and_their_results_follow() -> None:
    messages = said(
        {"role": "assistant", "content": "wait"},
        CALL,
        OTHER,
        {"type": "function_call_output", "call_id": "c1", "output": "1"},
        {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "2"}]},
    )

    assert [message["role"] for message in messages] == ["assistant", "tool", "tool"]
    assert messages[0]["content"] == "wait"
    assert [call["id"] for call in messages[0]["tool_calls"]] == ["c1", "c2"]
    assert messages[0]["tool_calls"][1]["function"] == {"name": "g", "arguments": '{"x":1}'}
    assert messages[1:] == [
        {"role": "tool", "tool_call_id": "c1", "content": "1"},
        {"role": "tool", "tool_call_id": "c2", "content": "2"},
    ]


def test_calls_one_after_another_are_turns_of_their_own() -> None:
    result = {"type": "function_call_output", "call_id": "c1", "output": "1"}

    assert [message["role"] for message in said(CALL, result, OTHER)] == ["assistant", "tool", "assistant"]


def test_text_beside_a_call_stays_in_the_turn_that_waits_for_its_result() -> None:
    messages = said(CALL, {"role": "assistant", "content": "wait"})

    assert len(messages) == 1
    assert messages[0]["content"] == [{"type": "text", "text": "wait"}]


def test_reasoning_goes_with_the_turn_that_it_led_to() -> None:
    thought = {"type": "reasoning", "id": "rs", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]}

    turn = said({**thought, "encrypted_content": sealed_thoughts([BLOCK])}, CALL)[0]

    assert turn["reasoning_content"] == "hm"
    assert turn["thinking_blocks"] == [BLOCK]
    assert turn["tool_calls"][0]["id"] == "c1"


def test_reasoning_stays_away_from_a_chat_that_does_not_know_it() -> None:
    thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}
    fields = {"input": [thought, {"role": "assistant", "content": "a"}], "prompt_cache_key": "k", "user": "u"}

    plain = chat_fields(fields, "mistral", ChatFlavour(), drop_params=False)

    assert plain == {"messages": [{"role": "assistant", "content": "a"}], "user": "u"}
    assert chat_fields(fields, "custom", ChatFlavour(hints=True), drop_params=False)["prompt_cache_key"] == "k"


@pytest.mark.parametrize("sealed", ["gAAAA", "moongate:!", "moongate:e30=", None, 5])
def test_thoughts_that_somebody_else_sealed_are_not_opened(sealed: object) -> None:
    assert opened_thoughts(sealed) == []


def test_functions_and_their_choice_become_those_of_chat() -> None:
    asked = asked_of_chat({"tools": [FUNCTION], "tool_choice": {"type": "function", "name": "f"}})

    assert asked["tools"] == [CHAT_FUNCTION]
    assert asked["tool_choice"] == {"type": "function", "function": {"name": "f"}}
    assert asked_of_chat({"tools": [FUNCTION], "tool_choice": "required"})["tool_choice"] == "required"


def test_allowed_tools_are_those_that_are_shown() -> None:
    allowed = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]}

    asked = asked_of_chat({"tools": [FUNCTION, {**FUNCTION, "name": "g"}], "tool_choice": allowed})

    assert asked["tools"] == [CHAT_FUNCTION]
    assert asked["tool_choice"] == "required"


def test_options_become_those_of_chat() -> None:
    schema = {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True}

    assert asked_of_chat(
        {
            "text": {"format": schema, "verbosity": "low"},
            "reasoning": {"effort": "high", "summary": "auto"},
            "include": ["message.output_text.logprobs", "reasoning.encrypted_content"],
            "top_logprobs": 2,
            "temperature": 0.5,
            "top_p": 0.9,
            "user": "u",
            "service_tier": "flex",
            "max_output_tokens": 9,
            "metadata": {"a": "b"},
            "store": True,
            "stream_options": {"include_obfuscation": False},
            "truncation": "disabled",
        }
    ) == {
        "messages": [{"role": "user", "content": "hello"}],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": True},
        },
        "verbosity": "low",
        "reasoning_effort": "high",
        "logprobs": True,
        "top_logprobs": 2,
        "temperature": 0.5,
        "top_p": 0.9,
        "user": "u",
        "service_tier": "flex",
    }


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"tools": [{**FUNCTION, "defer_loading": True}]}, "tools[0].defer_loading"),
        ({"tool_choice": {"type": "mcp", "server_label": "x"}}, "tool_choice"),
        ({"text": {"format": {"type": "grammar"}}}, "text.format"),
        ({"truncation": "auto"}, "truncation"),
        ({"include": ["made.up"]}, "include"),
        ({"made_up": 1}, "made_up"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0].type"),
        ({"input": [{"type": "computer_call"}]}, "input[0].type"),
        ({"input": [{"role": "user", "content": [{"type": "x"}]}]}, "input[0].content[0].type"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]},
            "input[0].content[0].file_id",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file", "file_url": "https://x/y"}]}]},
            "input[0].content[0].file_url",
        ),
    ],
)
def test_what_chat_cannot_say_is_named(fields: dict[str, Any], param: str) -> None:
    assert refused(fields) == (FailureKind.UNSUPPORTED, param)


@pytest.mark.parametrize("name", ["background", "conversation", "previous_response_id", "prompt"])
def test_what_needs_a_store_is_refused_and_never_dropped(name: str) -> None:
    value = True if name == "background" else "x"

    assert refused({name: value}, drop_params=True) == (FailureKind.UNSUPPORTED, name)
    assert "messages" in asked_of_chat({name: None})


def test_dropping_leaves_out_what_chat_cannot_say() -> None:
    asked = asked_of_chat(
        {"tools": [{"type": "web_search"}, FUNCTION], "truncation": "auto", "made_up": 1}, drop_params=True
    )

    assert asked == {"messages": [{"role": "user", "content": "hello"}], "tools": [CHAT_FUNCTION]}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": [{"role": "boss", "content": "x"}]}, "input[0].role"),
        ({"input": [{"type": "function_call", "name": "f"}]}, "input[0]"),
        ({"input": [{"role": "user", "content": 5}]}, "input[0].content"),
        ({"text": "json"}, "text"),
    ],
)
def test_nonsense_is_refused_with_its_place(fields: dict[str, Any], param: str) -> None:
    assert refused(fields) == (FailureKind.REQUEST_REFUSED, param)


def test_what_a_tool_shows_follows_all_results_where_those_are_texts_alone() -> None:
    picture = {"type": "input_image", "image_url": "data:image/png;base64,AA=="}
    items: list[dict[str, Any]] = [
        CALL,
        OTHER,
        {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "1"}, picture]},
        {"type": "function_call_output", "call_id": "c2", "output": [picture]},
    ]
    shown = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}

    told = chat_fields({"input": items}, "openai", ChatFlavour(), drop_params=False)["messages"]
    assert isinstance(told, list)
    assert told[1:] == [
        {"role": "tool", "tool_call_id": "c1", "content": "1"},
        {"role": "tool", "tool_call_id": "c2", "content": ""},
        {"role": "user", "content": [shown, shown]},
    ]
    assert said(*items)[1]["content"] == [{"type": "text", "text": "1"}, shown]
    later: Any = chat_fields(
        {"input": [*items, {"role": "user", "content": "so?"}]}, "x", ChatFlavour(), drop_params=True
    )
    assert [message["role"] for message in later["messages"]] == ["assistant", "tool", "tool", "user", "user"]


@pytest.mark.parametrize("choice", ["auto", "none", None])
def test_nothing_is_said_of_choosing_where_there_are_no_tools(choice: str | None) -> None:
    asked = asked_of_chat(
        {"tools": [], "tool_choice": choice, "parallel_tool_calls": False, "client_metadata": {"a": "b"}}
    )
    assert set(asked) == {"messages"}
    kept = asked_of_chat({"tools": [FUNCTION], "tool_choice": "none", "parallel_tool_calls": False})
    assert (kept["tool_choice"], kept["parallel_tool_calls"]) == ("none", False)


def test_choice_of_a_tool_that_is_not_there_is_left_to_the_provider_to_refuse() -> None:
    assert asked_of_chat({"tool_choice": "required"})["tool_choice"] == "required"
    dropped = asked_of_chat({"tools": [{"type": "web_search"}], "tool_choice": "required"}, drop_params=True)
    assert "tool_choice" not in dropped
