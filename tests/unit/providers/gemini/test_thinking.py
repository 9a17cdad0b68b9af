import pytest

from domain.failure import FailureKind, ProviderFailed
from tests.unit.providers.gemini.asking import NEW, OLD, OLD_PRO, config_for, failure_in

NEW_PRO = "gemini-3.1-pro-preview"


@pytest.mark.parametrize(
    ("model", "effort", "expected"),
    [
        (OLD, "minimal", {"thinkingBudget": 1_024, "includeThoughts": True}),
        (OLD, "low", {"thinkingBudget": 1_024, "includeThoughts": True}),
        (OLD, "medium", {"thinkingBudget": 8_192, "includeThoughts": True}),
        (OLD_PRO, "high", {"thinkingBudget": 24_576, "includeThoughts": True}),
        (OLD, "none", {"thinkingBudget": 0}),
        (NEW, "minimal", {"thinkingLevel": "MINIMAL", "includeThoughts": True}),
        (NEW_PRO, "minimal", {"thinkingLevel": "LOW", "includeThoughts": True}),
        (NEW, "high", {"thinkingLevel": "HIGH", "includeThoughts": True}),
        ("gemini-flash-latest", "medium", {"thinkingLevel": "MEDIUM", "includeThoughts": True}),
    ],
)
def test_an_effort_is_a_level_or_a_budget_by_the_models_generation(
    model: str, effort: str, expected: dict[str, object]
) -> None:
    assert config_for(model, reasoning_effort=effort) == {"thinkingConfig": expected}


@pytest.mark.parametrize("model", [NEW, NEW_PRO, OLD_PRO])
def test_a_model_that_cannot_but_think_is_not_told_to_stop(model: str) -> None:
    with pytest.raises(ProviderFailed) as raised:
        config_for(model, reasoning_effort="none")
    failure = failure_in(raised.value)
    assert (failure.kind, failure.param) == (FailureKind.UNSUPPORTED, "reasoning_effort")


@pytest.mark.parametrize(
    ("model", "expected"),
    [(NEW, {"thinkingLevel": "MINIMAL"}), (NEW_PRO, {"thinkingLevel": "LOW"}), (OLD_PRO, {"thinkingBudget": 128})],
)
def test_where_fields_may_be_dropped_it_thinks_as_little_as_it_can(model: str, expected: dict[str, object]) -> None:
    assert config_for(model, drop_params=True, reasoning_effort="none") == {"thinkingConfig": expected}


def test_anthropics_thinking_is_a_budget() -> None:
    thinking = {"type": "enabled", "budget_tokens": 2_000}
    assert config_for(OLD, thinking=thinking)["thinkingConfig"] == {"thinkingBudget": 2_000, "includeThoughts": True}
    assert config_for(OLD, thinking={"type": "adaptive"})["thinkingConfig"] == {"includeThoughts": True}
    assert config_for(OLD, thinking={"type": "disabled"})["thinkingConfig"] == {"thinkingBudget": 0}


def test_nothing_is_said_of_thinking_where_nothing_was_asked() -> None:
    assert config_for(NEW) == {}
