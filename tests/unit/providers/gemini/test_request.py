from typing import Any

import pytest
from google.genai import types

from domain.failure import FailureKind, ProviderFailed
from tests.unit.providers.gemini.asking import NEW, OLD, body_for, config_for, failure_in

TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "$defs": {}}}}
STRICT = {"type": "function", "function": {"name": "look", "strict": True, "description": "Looks."}}
ALLOWED = [{"type": "function", "function": {"name": "look"}}]


def test_a_plain_question_is_nothing_but_contents() -> None:
    assert body_for() == {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}


def test_every_option_of_sampling_has_its_place() -> None:
    config = config_for(
        temperature=0.5,
        top_p=0.9,
        top_k=3,
        seed=7,
        presence_penalty=0.1,
        frequency_penalty=0.2,
        n=2,
        stop="END",
        logprobs=True,
        top_logprobs=4,
    )

    assert config == {
        "temperature": 0.5,
        "topP": 0.9,
        "topK": 3,
        "seed": 7,
        "presencePenalty": 0.1,
        "frequencyPenalty": 0.2,
        "candidateCount": 2,
        "stopSequences": ["END"],
        "responseLogprobs": True,
        "logprobs": 4,
    }
    types.GenerationConfig.model_validate(config)


def test_the_maximum_is_that_of_the_call() -> None:
    assert body_for(max_tokens=9)["generationConfig"] == {"maxOutputTokens": 9}


@pytest.mark.parametrize(
    ("wanted", "config"),
    [
        ({"type": "text"}, {}),
        ({"type": "json_object"}, {"responseMimeType": "application/json"}),
        (
            {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
            {"responseMimeType": "application/json", "responseJsonSchema": {"type": "object"}},
        ),
    ],
)
def test_a_format_of_output_is_a_media_type_and_a_schema(wanted: object, config: object) -> None:
    assert config_for(response_format=wanted) == config


def test_tools_are_declared_with_their_json_schema_as_it_is() -> None:
    body = body_for(tools=[TOOL])

    declared = [{"name": "look", "parametersJsonSchema": {"type": "object", "$defs": {}}}]
    assert body["tools"] == [{"functionDeclarations": declared}]
    assert "toolConfig" not in body
    types.Tool.model_validate(body["tools"][0])


@pytest.mark.parametrize(
    ("choice", "calling"),
    [
        ("auto", {"mode": "AUTO"}),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        ({"type": "function", "function": {"name": "look"}}, {"mode": "ANY", "allowedFunctionNames": ["look"]}),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": ALLOWED}},
            {"mode": "ANY", "allowedFunctionNames": ["look"]},
        ),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": ALLOWED}},
            {"mode": "VALIDATED", "allowedFunctionNames": ["look"]},
        ),
    ],
)
def test_a_choice_of_tools_is_a_mode(choice: object, calling: object) -> None:
    config = body_for(tools=[TOOL], tool_choice=choice)["toolConfig"]

    assert config == {"functionCallingConfig": calling}
    types.ToolConfig.model_validate(config)


def test_a_strict_tool_has_its_arguments_validated() -> None:
    assert body_for(tools=[STRICT])["toolConfig"] == {"functionCallingConfig": {"mode": "VALIDATED"}}
    forced = body_for(tools=[STRICT], tool_choice="required")
    assert forced["toolConfig"] == {"functionCallingConfig": {"mode": "ANY"}}


def test_googles_own_fields_are_passed_on() -> None:
    settings = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]
    body = body_for(safety_settings=settings, cached_content="cachedContents/a")
    assert (body["safetySettings"], body["cachedContent"]) == (settings, "cachedContents/a")


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("tool_choice", {"tool_choice": {"type": "custom"}, "tools": [TOOL]}),
        ("tools[].type", {"tools": [{"type": "custom", "custom": {"name": "c"}}]}),
        ("response_format", {"response_format": {"type": "grammar"}}),
        ("reasoning_effort", {"reasoning_effort": "extreme"}),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_its_name(field: str, fields: dict[str, Any]) -> None:
    with pytest.raises(ProviderFailed) as raised:
        body_for(**fields)

    failure = failure_in(raised.value)
    assert (failure.kind, failure.param, failure.was_sent) == (FailureKind.UNSUPPORTED, field, False)


def test_what_cannot_be_honoured_is_left_out_where_that_is_wished() -> None:
    body = body_for(drop_params=True, tools=[TOOL], parallel_tool_calls=False, response_format={"type": "grammar"})
    assert set(body) == {"contents", "tools"}


def test_values_that_ask_for_nothing_are_no_reason_to_refuse() -> None:
    body = body_for(OLD, parallel_tool_calls=True, n=1, logprobs=False, tools=[], tool_choice="auto")
    assert set(body) == {"contents"}
    assert config_for(NEW, n=1, logprobs=False, stop=[]) == {}
