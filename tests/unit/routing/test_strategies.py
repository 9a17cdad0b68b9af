import pytest

from domain.routing.strategies import ALIASES, arrange_by, parse_strategy
from domain.routing.strategy import StrategyName


@pytest.mark.parametrize("name", StrategyName)
def test_every_name_has_its_own_strategy(name: StrategyName) -> None:
    module = arrange_by(name).__module__.rsplit(".", 1)[1]

    assert module.replace("random_choice", "random").replace("_", "-") == name.value


@pytest.mark.parametrize("name", StrategyName)
def test_a_strategy_is_found_by_its_name_without_a_warning(name: StrategyName) -> None:
    assert parse_strategy(name.value) == (name, None)


@pytest.mark.parametrize(
    ("old", "name"),
    [
        ("simple", StrategyName.RANDOM),
        ("weighted", StrategyName.WEIGHTED_ROUND_ROBIN),
        ("latency-based", StrategyName.LEAST_LATENCY),
        ("usage-based", StrategyName.MOST_HEADROOM),
    ],
)
def test_audit_11_names_that_the_predecessor_listed_load_with_a_warning(old: str, name: StrategyName) -> None:
    strategy, warning = parse_strategy(old)

    assert strategy is name
    assert warning == f"strategy '{old}' is an old name: write '{name.value}'"


def test_audit_11_every_name_in_the_predecessors_comment_loads() -> None:
    for listed in ("simple", "least-busy", "usage-based", "latency-based", "priority", "weighted"):
        parse_strategy(listed)


def test_no_alias_hides_a_strategy() -> None:
    assert not set(ALIASES) & {name.value for name in StrategyName}


@pytest.mark.parametrize(
    ("text", "nearest"),
    [("least_latency", "least-latency"), ("prioritty", "priority"), ("usage-base", "most-headroom")],
)
def test_an_unknown_strategy_is_refused_with_the_nearest_name(text: str, nearest: str) -> None:
    with pytest.raises(ValueError, match=rf"unknown strategy '{text}'.*did you mean {nearest}\?$"):
        parse_strategy(text)


@pytest.mark.parametrize("text", ["", "qqqq", "PRIORITY"])
def test_an_unknown_strategy_is_refused_with_the_list_of_all(text: str) -> None:
    with pytest.raises(ValueError, match="unknown strategy") as refused:
        parse_strategy(text)

    assert all(name.value in str(refused.value) for name in StrategyName)
