from typing import Any

import pytest

from adapters.outbound.providers.anthropic.generations import refuses_sampling, thinks_by_budget
from domain.failure import FailureKind
from tests.unit.providers.anthropic.asking import body, refusal

OLDER = "claude-sonnet-4-5-20250929"
TOOLS = [{"type": "function", "function": {"name": "look"}}]


def thinking(model: str = "claude-opus-5", **fields: Any) -> tuple[Any, Any]:
    sent = body(model, **fields)
    return sent.get("thinking"), sent.get("output_config", {}).get("effort")


@pytest.mark.parametrize(
    ("model", "by_budget", "no_sampling"),
    [
        ("claude-2.1", True, False),
        ("claude-3-haiku-20240307", True, False),
        ("claude-3-7-sonnet-20250219", True, False),
        ("claude-sonnet-4-20250514", True, False),
        ("claude-opus-4-1-20250805", True, False),
        ("claude-haiku-4-5", True, False),
        ("claude-sonnet-4-6", False, False),
        ("claude-opus-4-7", False, True),
        ("claude-opus-4-10", False, True),
        ("claude-opus-5", False, True),
        ("claude-fable-5-1", False, True),
        ("anthropic.claude-opus-4-5-20251101-v1:0", True, False),
        ("claude-mythos-preview", False, False),
        ("smollm2", False, False),
    ],
)
def test_a_model_name_tells_what_the_model_takes(model: str, *, by_budget: bool, no_sampling: bool) -> None:
    assert (thinks_by_budget(model), refuses_sampling(model)) == (by_budget, no_sampling)


@pytest.mark.parametrize(
    ("effort", "sent"),
    [("minimal", "low"), ("low", "low"), ("medium", "medium"), ("high", "high"), ("xhigh", "xhigh"), ("max", "max")],
)
def test_reasoning_effort_is_the_effort_of_a_model_that_adapts(effort: str, sent: str) -> None:
    assert thinking(reasoning_effort=effort) == ({"type": "adaptive", "display": "summarized"}, sent)


@pytest.mark.parametrize(
    ("effort", "max_tokens", "budget"),
    [("low", 10_000, 2_000), ("medium", 10_000, 5_000), ("high", 10_000, 8_000), ("high", 1_100, 1_024)],
)
def test_reasoning_effort_is_a_share_of_the_maximum_for_older_models(effort: str, max_tokens: int, budget: int) -> None:
    expected = {"type": "enabled", "budget_tokens": budget}
    assert thinking(OLDER, reasoning_effort=effort, max_tokens=max_tokens) == (expected, None)


def test_a_budget_has_a_ceiling() -> None:
    sent, _ = thinking(OLDER, reasoning_effort="max", max_tokens=64_000)
    assert sent["budget_tokens"] == 32_000


def test_an_older_model_that_may_write_too_little_can_not_think() -> None:
    failure = refusal(OLDER, reasoning_effort="low", max_tokens=1_024)
    assert (failure.kind, failure.param) == (FailureKind.UNSUPPORTED, "reasoning_effort")
    assert thinking(OLDER, reasoning_effort="low", max_tokens=1_024, drop_params=True) == (None, None)


@pytest.mark.parametrize("model", [OLDER, "claude-opus-5"])
def test_no_effort_at_all_switches_thinking_off(model: str) -> None:
    assert thinking(model, reasoning_effort="none") == ({"type": "disabled"}, None)


def test_an_effort_that_nobody_knows_is_refused_or_dropped() -> None:
    assert refusal(reasoning_effort="heroic").param == "reasoning_effort"
    assert refusal(reasoning_effort=3).param == "reasoning_effort"
    assert thinking(reasoning_effort="heroic", drop_params=True) == (None, None)


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "look"}}])
def test_a_forced_tool_leaves_effort_without_thinking(choice: object) -> None:
    fields: dict[str, Any] = {"reasoning_effort": "high", "tools": TOOLS, "tool_choice": choice}
    assert thinking(**fields) == (None, "high")
    assert refusal(OLDER, **fields).param == "reasoning_effort"
    assert thinking(OLDER, **fields, drop_params=True) == (None, None)


def test_a_clients_own_thinking_goes_through_and_wins() -> None:
    own = {"type": "enabled", "budget_tokens": 2_000}
    assert thinking(thinking=own) == (own, None)
    assert thinking(thinking=own, reasoning_effort="high") == (own, "high")
    assert thinking(OLDER, thinking=own, reasoning_effort="high") == (own, None)
    assert thinking(thinking=own, reasoning_effort="none") == (own, None)


def test_effort_and_schema_stand_side_by_side() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}}
    sent = body(reasoning_effort="low", response_format=form)["output_config"]
    assert sent == {"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object"}}}
