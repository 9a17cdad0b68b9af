from typing import Any

import pytest

from adapters.outbound.providers.bedrock.models import Maker, Thinking, maker_of, thinking_of
from domain.failure import FailureKind
from tests.unit.providers.bedrock.asking import CLAUDE, LLAMA, NOVA, asked, refusal, written

NEWEST = "global.anthropic.claude-opus-4-6-v1"
FIELDS = "additionalModelRequestFields"


@pytest.mark.parametrize(
    ("model", "maker"),
    [
        (CLAUDE, Maker.CLAUDE),
        ("arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-3-haiku", Maker.CLAUDE),
        ("arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc123", Maker.OPAQUE),
        ("amazon.nova-pro-v1:0", Maker.NOVA),
        (NOVA, Maker.NOVA_2),
        ("openai.gpt-oss-120b-1:0", Maker.GPT_OSS),
        (LLAMA, Maker.OTHER),
    ],
)
def test_maker_is_read_from_the_models_id(model: str, maker: Maker) -> None:
    assert maker_of(model) is maker


@pytest.mark.parametrize(
    ("name", "thinking"),
    [
        ("claude-v2:1", Thinking.NEVER),
        ("claude-3-5-sonnet-20241022-v2:0", Thinking.NEVER),
        ("claude-3-7-sonnet-20250219-v1:0", Thinking.BUDGET),
        ("claude-opus-4-20250514-v1:0", Thinking.BUDGET),
        ("claude-opus-4-5-20251101-v1:0", Thinking.BUDGET),
        ("claude-sonnet-4-6", Thinking.ADAPTIVE),
        ("claude-opus-4-7", Thinking.ADAPTIVE),
        ("claude-sonnet-5", Thinking.ADAPTIVE),
        ("claude-mythos-preview", Thinking.ADAPTIVE),
    ],
)
def test_way_of_thinking_is_read_from_claudes_version(name: str, thinking: Thinking) -> None:
    assert thinking_of(f"anthropic.{name}") is thinking


def test_effort_is_a_budget_for_claudes_that_have_one() -> None:
    fields = written(asked(reasoning_effort="high"))[FIELDS]

    assert fields == {"thinking": {"type": "enabled", "budget_tokens": 16_384}}


def test_budget_stays_below_the_maximum_or_is_refused() -> None:
    fields = written(asked(reasoning_effort="high", max_tokens=4_000))[FIELDS]

    assert fields["thinking"]["budget_tokens"] == 3_999
    assert refusal(asked(reasoning_effort="low", max_tokens=1_024)).param == "reasoning_effort"
    assert FIELDS not in written(asked(reasoning_effort="low", max_tokens=1_024, drop_params=True))


def test_effort_is_an_effort_for_newer_claudes_beside_a_schema() -> None:
    wanted = {"type": "json_schema", "json_schema": {"schema": {"type": "object"}}}
    body = written(asked(NEWEST, reasoning_effort="minimal", response_format=wanted))

    assert body[FIELDS] == {"thinking": {"type": "adaptive"}}
    assert body["outputConfig"]["effort"] == "low"
    assert "textFormat" in body["outputConfig"]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (NOVA, {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}}),
        ("openai.gpt-oss-20b-1:0", {"reasoning_effort": "high"}),
    ],
)
def test_effort_is_what_other_makers_call_it(model: str, expected: Any) -> None:
    assert written(asked(model, reasoning_effort="xhigh"))[FIELDS] == expected


def test_no_effort_asks_for_nothing_of_any_model() -> None:
    assert FIELDS not in written(asked(LLAMA, reasoning_effort="none"))


def test_anthropics_own_setting_wins() -> None:
    thinking = {"type": "enabled", "budget_tokens": 5_000}

    assert written(asked(thinking=thinking, reasoning_effort="low"))[FIELDS] == {"thinking": thinking}


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (LLAMA, {"reasoning_effort": "low"}),
        (CLAUDE, {"reasoning_effort": "enormous"}),
        ("anthropic.claude-3-5-haiku-v1:0", {"reasoning_effort": "low"}),
        (LLAMA, {"thinking": {"type": "adaptive"}}),
    ],
)
def test_models_that_do_not_think_refuse_by_name_or_are_not_told(model: str, fields: dict[str, Any]) -> None:
    failure = refusal(asked(model, **fields))

    assert (failure.kind, failure.param) == (FailureKind.UNSUPPORTED, next(iter(fields)))
    assert FIELDS not in written(asked(model, **fields, drop_params=True))
