from typing import Any

import pytest

from adapters.outbound.providers.anthropic.request import CAPABILITIES
from domain.failure import FailureKind, ProviderFailed
from tests.unit.providers.anthropic.asking import HI, asked, body, body_of, refusal

NEWEST = "claude-opus-5-5"
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}


def schema_format(**more: object) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "s", "schema": SCHEMA, "strict": True, **more}}


def test_a_plain_chat_is_model_maximum_and_messages() -> None:
    assert body() == {
        "model": "claude-sonnet-4-6",
        "max_tokens": 8192,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
    }


def test_a_maximum_is_sent_where_nobody_named_one() -> None:
    assert body(max_tokens=None)["max_tokens"] == 4096


def test_a_stream_is_asked_for() -> None:
    request = asked()
    assert "stream" not in body_of(request)
    assert body_of(type(request)(request.fields, request.model, stream=True))["stream"] is True


@pytest.mark.parametrize(("stop", "sent"), [("END", ["END"]), (["a", "b"], ["a", "b"]), ([], None)])
def test_stop_sequences_are_a_list(stop: object, sent: object) -> None:
    assert body(stop=stop).get("stop_sequences") == sent


@pytest.mark.parametrize("name", ["user", "safety_identifier"])
def test_the_user_is_told_for_the_sake_of_abuse_reports(name: str) -> None:
    assert body(**{name: "u-1"})["metadata"] == {"user_id": "u-1"}


def test_sampling_goes_through_to_models_that_know_it() -> None:
    sent = body(temperature=0.5, top_p=0.9, top_k=40)
    assert (sent["temperature"], sent["top_p"], sent["top_k"]) == (0.5, 0.9, 40)
    assert "top_p" not in body(top_p=1)


@pytest.mark.parametrize("name", ["temperature", "top_p", "top_k"])
def test_sampling_is_refused_or_dropped_where_the_model_refuses_it(name: str) -> None:
    failure = refusal(NEWEST, **{name: 0.5})
    assert (failure.kind, failure.param) == (FailureKind.UNSUPPORTED, name)
    assert name not in body(NEWEST, drop_params=True, **{name: 0.5})
    assert "temperature" not in body(NEWEST, temperature=1, top_p=1)


def test_a_temperature_above_one_is_refused_or_cut() -> None:
    failure = refusal(temperature=1.5)
    assert (failure.kind, failure.param) == (FailureKind.UNSUPPORTED, "temperature")
    assert body(temperature=1.5, drop_params=True)["temperature"] == 1


def test_a_json_schema_is_the_output_format() -> None:
    sent = body(response_format=schema_format())
    assert sent["output_config"] == {"format": {"type": "json_schema", "schema": SCHEMA}}
    described = body(response_format=schema_format(description="A thing."))
    assert described["output_config"]["format"]["schema"] == {"description": "A thing.", **SCHEMA}


def test_json_without_a_schema_is_refused_or_dropped() -> None:
    failure = refusal(response_format={"type": "json_object"})
    assert (failure.kind, failure.param) == (FailureKind.UNSUPPORTED, "response_format")
    assert "output_config" not in body(response_format={"type": "json_object"}, drop_params=True)
    assert "output_config" not in body(response_format={"type": "text"})


def test_a_tool_keeps_all_that_it_says() -> None:
    function = {"name": "look", "description": "Looks.", "parameters": SCHEMA, "strict": True}
    mark = {"type": "ephemeral"}
    (tool,) = body(tools=[{"type": "function", "function": function, "cache_control": mark}])["tools"]
    assert tool == {
        "name": "look",
        "description": "Looks.",
        "input_schema": SCHEMA,
        "strict": True,
        "cache_control": mark,
    }
    (bare,) = body(tools=[{"type": "function", "function": {"name": "look"}}])["tools"]
    assert bare == {"name": "look", "input_schema": {"type": "object", "properties": {}}}


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        (None, None),
        ("auto", {"type": "auto"}),
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        ({"type": "function", "function": {"name": "look"}}, {"type": "tool", "name": "look"}),
    ],
)
def test_the_choice_of_tool_is_translated(choice: object, sent: dict[str, Any] | None) -> None:
    assert body(tools=[TOOL], tool_choice=choice).get("tool_choice") == sent
    alone = body(tools=[TOOL], tool_choice=choice, parallel_tool_calls=False)["tool_choice"]
    expected = sent or {"type": "auto"}
    assert alone == (expected if choice == "none" else {**expected, "disable_parallel_tool_use": True})
    assert body(tools=[TOOL], tool_choice=choice, parallel_tool_calls=True).get("tool_choice") == sent


def test_a_demand_for_a_tool_without_tools_is_refused() -> None:
    failure = refusal(tool_choice="required")
    assert (failure.kind, failure.param, failure.was_sent) == (FailureKind.REQUEST_REFUSED, "tool_choice", False)
    assert "tool_choice" not in body(tool_choice="none", parallel_tool_calls=False)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools[].type"),
        ({"tools": [TOOL], "tool_choice": {"type": "allowed_tools", "allowed_tools": {}}}, "tool_choice"),
        ({"tools": [{"type": "function"}]}, "tools[].function"),
    ],
)
def test_what_is_no_function_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    assert refusal(**fields).param == param


@pytest.mark.parametrize(
    "name",
    ["logprobs", "top_logprobs", "seed", "logit_bias", "frequency_penalty", "presence_penalty", "functions", "audio"],
)
def test_what_messages_can_not_say_is_unsupported(name: str) -> None:
    with pytest.raises(ProviderFailed) as raised:
        CAPABILITIES.honoured({"messages": [HI], name: {"a": 1}}, drop_params=False)
    assert (raised.value.failure.kind, raised.value.failure.param) == (FailureKind.UNSUPPORTED, name)
    assert set(CAPABILITIES.honoured({"messages": [HI], name: {"a": 1}}, drop_params=True)) == {"messages"}


def test_more_than_one_choice_is_unsupported() -> None:
    with pytest.raises(ProviderFailed) as raised:
        CAPABILITIES.honoured({"messages": [HI], "n": 2}, drop_params=False)
    assert raised.value.failure.param == "n"
    assert CAPABILITIES.honoured({"messages": [HI], "n": 1}, drop_params=False) == {"messages": [HI]}
