from typing import Any

import pytest

from adapters.outbound.providers.cohere.request import chat_fields
from adapters.outbound.providers.dialect import Asked
from domain.failure import FailureKind, ProviderFailed
from tests.unit.providers.cohere.asking import HI, asked, sent, tool

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
NAMED = {"type": "function", "function": {"name": "b"}}


def refused(**fields: Any) -> str | None:
    with pytest.raises(ProviderFailed) as raised:
        sent(**fields)
    assert raised.value.failure.kind is FailureKind.UNSUPPORTED
    return raised.value.failure.param


def test_a_plain_request_says_no_more_than_it_must() -> None:
    assert sent() == {"model": "command-a", "messages": HI, "stream": False}


def test_sampling_has_coheres_names() -> None:
    body = sent(
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        seed=7,
        frequency_penalty=0.1,
        presence_penalty=0.2,
        stop="END",
        safety_mode="STRICT",
        citation_options={"mode": "FAST"},
        documents=[{"data": {"text": "it"}}],
    )

    assert body == sent() | {
        "temperature": 0.5,
        "p": 0.9,
        "k": 40,
        "seed": 7,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
        "stop_sequences": ["END"],
        "safety_mode": "STRICT",
        "citation_options": {"mode": "FAST"},
        "documents": [{"data": {"text": "it"}}],
    }
    assert sent(stop=["a", "b"])["stop_sequences"] == ["a", "b"]


def test_the_maximum_and_the_stream_are_the_calls() -> None:
    body = chat_fields(Asked({"messages": HI}, "m", stream=True, max_tokens=9))

    assert (body["max_tokens"], body["stream"]) == (9, True)


def test_tools_have_parameters_even_where_the_client_gave_none() -> None:
    (told,) = sent(tools=[{"type": "function", "function": {"name": "now", "description": "The time"}}])["tools"]

    assert told["function"] == {
        "name": "now",
        "description": "The time",
        "parameters": {"type": "object", "properties": {}},
    }


def test_one_strict_tool_makes_all_of_them_strict() -> None:
    assert sent(tools=[tool("a"), tool("b", strict=True)])["strict_tools"] is True
    assert "strict_tools" not in sent(tools=[tool("a", strict=False)])
    assert sent(tools=[tool("a")], strict_tools=True)["strict_tools"] is True


@pytest.mark.parametrize(
    ("choice", "told", "shown"),
    [
        (None, None, ["a", "b"]),
        ("auto", None, ["a", "b"]),
        ("none", "NONE", ["a", "b"]),
        ("required", "REQUIRED", ["a", "b"]),
        (NAMED, "REQUIRED", ["b"]),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [NAMED]}}, None, ["b"]),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [NAMED]}}, "REQUIRED", ["b"]),
    ],
)
def test_a_tool_that_must_be_called_is_the_only_one_that_is_shown(
    choice: object, told: str | None, shown: list[str]
) -> None:
    body = sent(tools=[tool("a"), tool("b")], tool_choice=choice)

    assert body.get("tool_choice") == told
    assert [each["function"]["name"] for each in body["tools"]] == shown


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (None, None),
        ({"type": "text"}, None),
        ({"type": "json_object"}, {"type": "json_object"}),
        (
            {"type": "json_schema", "json_schema": {"name": "s", "strict": True, "schema": SCHEMA}},
            {"type": "json_object", "json_schema": SCHEMA},
        ),
    ],
)
def test_a_schema_leaves_its_wrapper(wanted: object, told: object) -> None:
    assert sent(response_format=wanted).get("response_format") == told


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"reasoning_effort": "none"}, {"type": "disabled"}),
        ({"reasoning_effort": "low"}, {"type": "enabled", "token_budget": 1_024}),
        ({"reasoning_effort": "medium"}, {"type": "enabled", "token_budget": 4_096}),
        ({"reasoning_effort": "high"}, {"type": "enabled"}),
        ({"thinking": {"type": "enabled", "token_budget": 5}}, {"type": "enabled", "token_budget": 5}),
        ({"thinking": {"type": "enabled", "budget_tokens": 6}}, {"type": "enabled", "token_budget": 6}),
        (
            {"thinking": {"type": "disabled", "budget_tokens": 6}, "reasoning_effort": "high"},
            {"type": "disabled"},
        ),
    ],
)
def test_an_effort_is_a_budget_for_thinking(fields: dict[str, Any], told: object) -> None:
    assert sent(**fields)["thinking"] == told


def test_log_probabilities_are_asked_for_without_alternatives() -> None:
    assert sent(logprobs=True, top_logprobs=0)["logprobs"] is True
    assert "logprobs" not in sent(logprobs=False)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n", 2),
        ("logit_bias", {"1": 5}),
        ("top_logprobs", 3),
        ("reasoning_effort", "most"),
        ("reasoning_effort", ["low"]),
        ("response_format", {"type": "grammar"}),
        ("tool_choice", {"type": "custom", "custom": {"name": "a"}}),
        ("tool_choice", {"type": "function", "function": {"name": "unknown"}}),
        ("functions", [{"name": "a"}]),
        ("audio", {"voice": "alloy"}),
    ],
)
def test_what_cohere_can_not_do_is_refused_by_name(field: str, value: object) -> None:
    assert refused(tools=[tool("a")], **{field: value}) == field


def test_one_tool_call_at_a_time_can_not_be_asked_for() -> None:
    assert refused(tools=[tool("a")], parallel_tool_calls=False) == "parallel_tool_calls"
    assert "parallel_tool_calls" not in sent(tools=[tool("a")], parallel_tool_calls=True)
    assert sent(parallel_tool_calls=False) == sent()


@pytest.mark.parametrize("other", [{"type": "custom", "custom": {"name": "a"}}, {"type": "function"}, "look"])
def test_a_tool_that_is_no_function_is_refused(other: object) -> None:
    assert refused(tools=[other]) == "tools[].type"


def test_what_can_be_dropped_is_dropped_on_demand() -> None:
    body = sent(
        drop_params=True,
        n=2,
        top_logprobs=3,
        reasoning_effort="most",
        response_format={"type": "grammar"},
        parallel_tool_calls=False,
        tool_choice={"type": "custom"},
        tools=[tool("a")],
    )

    assert body == sent(tools=[tool("a")])


def test_the_request_is_not_modified() -> None:
    request = asked(tools=[tool("a")], messages=[{"role": "assistant", "content": "x", "reasoning_content": "y"}])
    before = repr(request)

    chat_fields(request)

    assert repr(request) == before
