"""Messages requests in words of chat."""

from typing import Any

import pytest

from adapters.outbound.providers.chat_flavour import ChatFlavour
from domain.failure import FailureKind, ProviderFailed
from tests.unit.providers.messages_via_chat.calls import PLAIN, USER, asked, said

MARK = {"type": "ephemeral"}
PNG = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBO"}}
SEEN = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}}
TOOL = {"name": "look", "description": "Looks.", "input_schema": {"type": "object"}, "strict": True}


def refusal(drop_params: bool = False, **fields: Any) -> tuple[FailureKind, str | None]:
    with pytest.raises(ProviderFailed) as raised:
        asked(PLAIN, drop_params=drop_params, **fields)
    return raised.value.failure.kind, raised.value.failure.param


def test_a_small_request_becomes_a_small_chat() -> None:
    assert asked() == {"messages": [USER], "max_tokens": 9}


def test_a_chat_with_another_name_for_the_maximum_gets_that() -> None:
    assert asked(ChatFlavour(maximum="max_completion_tokens"))["max_completion_tokens"] == 9


def test_sampling_and_the_user_are_passed_on() -> None:
    told = asked(temperature=0.5, top_p=0.9, top_k=3, stop_sequences=["END"], metadata={"user_id": "u1"})
    assert {name: told[name] for name in ("temperature", "top_p", "top_k", "stop", "user")} == {
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 3,
        "stop": ["END"],
        "user": "u1",
    }


@pytest.mark.parametrize(
    ("system", "content"),
    [
        ("Be brief.", "Be brief."),
        ([{"type": "text", "text": "Be brief."}], "Be brief."),
        (
            [{"type": "text", "text": "Be brief.", "cache_control": MARK}],
            [{"type": "text", "text": "Be brief.", "cache_control": MARK}],
        ),
    ],
)
def test_the_system_prompt_is_the_first_message(system: object, content: object) -> None:
    assert asked(system=system)["messages"][0] == {"role": "system", "content": content}


def test_marks_for_a_cache_are_kept_only_where_they_do_no_harm() -> None:
    block = {"type": "text", "text": "x", "cache_control": MARK}
    assert said([block, block])[0]["content"] == [block, block]
    assert "cache_control" not in str(said([block, block], PLAIN))


@pytest.mark.parametrize(
    ("block", "part"),
    [
        (PNG, SEEN),
        (
            {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
            {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
        ),
        (
            {
                "type": "document",
                "title": "a.pdf",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"},
            },
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}},
        ),
    ],
)
def test_pictures_and_files_become_parts(block: dict[str, Any], part: dict[str, Any]) -> None:
    assert said([{"type": "text", "text": "See"}, block], PLAIN)[0]["content"][1] == part


def test_a_document_of_text_becomes_text_with_its_title() -> None:
    source = {"type": "text", "media_type": "text/plain", "data": "words"}
    assert said([{"type": "document", "title": "T", "source": source}])[0]["content"] == "T\n\nwords"


def test_results_of_tools_come_before_the_rest_of_a_turn() -> None:
    told = said(
        [
            {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "1"}]},
            {"type": "tool_result", "tool_use_id": "b", "content": "broke", "is_error": True},
            {"type": "text", "text": "And?"},
        ]
    )
    assert told == [
        {"role": "tool", "tool_call_id": "a", "content": "1"},
        {"role": "tool", "tool_call_id": "b", "content": "Error: broke"},
        {"role": "user", "content": "And?"},
    ]


def test_a_picture_in_a_result_stays_or_moves_to_the_next_message() -> None:
    result = {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "1"}, PNG]}
    assert said([result]) == [{"role": "tool", "tool_call_id": "a", "content": [{"type": "text", "text": "1"}, SEEN]}]
    assert said([result], PLAIN) == [
        {"role": "tool", "tool_call_id": "a", "content": "1"},
        {"role": "user", "content": [SEEN]},
    ]


def test_what_the_model_said_becomes_text_calls_and_thoughts() -> None:
    thought = {"type": "thinking", "thinking": "Hm", "signature": "s"}
    blocks = [
        thought,
        {"type": "text", "text": "Wait"},
        {"type": "tool_use", "id": "a", "name": "look", "input": {"at": "ö"}},
    ]
    call = {"id": "a", "type": "function", "function": {"name": "look", "arguments": '{"at":"ö"}'}}
    plain = {"role": "assistant", "content": "Wait", "tool_calls": [call]}
    assert said(blocks, PLAIN, "assistant") == [plain]
    assert said(blocks, role="assistant") == [plain | {"thinking_blocks": [thought]}]


def test_an_assistant_that_only_calls_says_nothing() -> None:
    blocks = [{"type": "tool_use", "id": "a", "name": "look", "input": {}}]
    assert said(blocks, role="assistant")[0]["content"] is None


def test_tools_and_the_choice_of_them_are_translated() -> None:
    told = asked(tools=[TOOL], tool_choice={"type": "any", "disable_parallel_tool_use": True})
    function = {"name": "look", "parameters": {"type": "object"}, "description": "Looks.", "strict": True}
    assert told["tools"] == [{"type": "function", "function": function}]
    assert (told["tool_choice"], told["parallel_tool_calls"]) == ("required", False)


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ({"type": "auto"}, "auto"),
        ({"type": "none"}, "none"),
        ({"type": "tool", "name": "look"}, {"type": "function", "function": {"name": "look"}}),
    ],
)
def test_a_choice_of_tool_has_a_word_in_chat(choice: dict[str, Any], told: object) -> None:
    assert asked(tools=[TOOL], tool_choice=choice)["tool_choice"] == told


@pytest.mark.parametrize(("budget", "effort"), [(1_024, "low"), (4_097, "medium"), (32_000, "high")])
def test_a_budget_of_thought_becomes_an_effort(budget: int, effort: str) -> None:
    assert asked(thinking={"type": "enabled", "budget_tokens": budget})["reasoning_effort"] == effort


@pytest.mark.parametrize(("effort", "told"), [("low", "low"), ("xhigh", "xhigh"), ("max", "xhigh")])
def test_an_effort_has_its_name_in_openais_words(effort: str, told: str) -> None:
    assert asked(output_config={"effort": effort})["reasoning_effort"] == told


def test_a_named_effort_wins_over_a_budget() -> None:
    thinking = {"type": "enabled", "budget_tokens": 32_000}
    assert asked(thinking=thinking, output_config={"effort": "low"})["reasoning_effort"] == "low"


def test_a_schema_for_the_answer_is_passed_on() -> None:
    told = asked(output_config={"format": {"type": "json_schema", "schema": {"type": "object"}}})
    assert told["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": True},
    }


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"top_k": 5}, "top_k"),
        ({"container": "c"}, "container"),
        ({"speed": "fast"}, "speed"),
        ({"thinking": {"type": "between_tools"}}, "thinking.type 'between_tools'"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools[].type 'web_search_20250305'"),
        ({"tools": [{**TOOL, "defer_loading": True}]}, "tools[].defer_loading"),
        ({"output_config": {"format": {"type": "grammar"}}}, "output_config.format"),
    ],
)
def test_what_chat_cannot_say_is_refused_by_name_or_dropped(fields: dict[str, Any], param: str) -> None:
    assert refusal(**fields) == (FailureKind.UNSUPPORTED, param)
    assert asked(PLAIN, drop_params=True, **fields)["messages"] == [USER]


@pytest.mark.parametrize(
    "block",
    [
        {"type": "server_tool_use", "id": "a", "name": "web_search", "input": {}},
        {"type": "image", "source": {"type": "file", "file_id": "f"}},
        {"type": "document", "citations": {"enabled": True}, "source": {"type": "text", "data": "x"}},
    ],
)
def test_content_that_chat_cannot_hold_is_never_dropped(block: dict[str, Any]) -> None:
    messages = [{"role": "user", "content": [block]}]
    assert refusal(drop_params=True, messages=messages)[0] is FailureKind.UNSUPPORTED


def test_fields_that_ask_for_nothing_are_passed_over() -> None:
    assert asked(PLAIN, top_k=None, container=None, speed="standard", service_tier="auto", tools=[]) == asked(PLAIN)


@pytest.mark.parametrize("content", [7, ["text"], [{"type": "text"}], [{"type": "tool_result"}]])
def test_content_of_another_shape_is_refused(content: object) -> None:
    kind, _ = refusal(messages=[{"role": "user", "content": content}])
    assert kind is FailureKind.REQUEST_REFUSED


@pytest.mark.parametrize("kind", ["auto", "none"])
def test_nothing_is_said_of_choosing_where_there_are_no_tools(kind: str) -> None:
    assert "tool_choice" not in asked(tool_choice={"type": kind})
    assert asked(tool_choice={"type": "any"})["tool_choice"] == "required"


def test_which_thoughts_are_seen_again_is_the_providers_affair_and_other_edits_are_refused() -> None:
    clear = {"type": "clear_thinking_20251015", "keep": "all"}
    assert asked(PLAIN, context_management={"edits": [clear]}) == asked(PLAIN)
    for other in ({"edits": [clear, {"type": "clear_tool_uses_20250919"}]}, {"edits": "x"}, {"edits": ["x"]}, "x"):
        assert refusal(context_management=other) == (FailureKind.UNSUPPORTED, "context_management")


def test_a_users_name_that_others_refuse_as_too_long_becomes_a_short_one() -> None:
    def named(user: str) -> str:
        name: str = asked(metadata={"user_id": user})["user"]
        return name

    assert named("u" * 64) == "u" * 64
    assert len(named("u" * 65)) == 64
    assert named("u" * 65) == named("u" * 65) != named("u" * 66)


def test_thoughts_that_nobody_signed_go_back_as_text_where_a_chat_takes_that() -> None:
    unsigned = {"type": "thinking", "thinking": "hm", "signature": ""}
    signed = {"type": "thinking", "thinking": "ah", "signature": "s"}
    text = {"type": "text", "text": "x"}

    assert said([unsigned, text], ChatFlavour(reasoning=True), "assistant")[0]["reasoning_content"] == "hm"
    told = said([unsigned, signed, text], role="assistant")[0]
    assert (told["thinking_blocks"], told["reasoning_content"]) == ([signed], "hm")
    blind = ChatFlavour(thoughts=True)
    assert set(said([unsigned, signed, text], blind, "assistant")[0]) == {"role", "content", "thinking_blocks"}
    assert set(said([unsigned, signed, text], PLAIN, "assistant")[0]) == {"role", "content"}
