from collections import Counter

import pytest

from domain.routing.strategies import arrange_by
from domain.routing.strategy import Leaf, Option, Ordered, StrategyName, Weighted
from tests.unit.routing.trees import Walker, arranged, first_counts, leaves, no_draw, option, seeded

WRR = StrategyName.WEIGHTED_ROUND_ROBIN
PRIORITY = StrategyName.PRIORITY
SHARES = [(60, 40), (80, 20), (40, 35, 25), (1, 1), (5, 1, 1)]


def instances(*weights: int) -> list[Option]:
    return [option(f"i{index}", weight * 1_000) for index, weight in enumerate(weights)]


def models(*weights: int) -> list[Option]:
    """Models of a route, each with two instances that share one to three."""
    return [
        option(
            f"m{index}",
            weight * 1_000,
            node=arrange_by(WRR)(f"m{index}", [option(f"m{index}-x", 1_000), option(f"m{index}-y", 3_000)], no_draw),
        )
        for index, weight in enumerate(weights)
    ]


@pytest.mark.parametrize("weights", SHARES)
@pytest.mark.parametrize("strategy", [WRR, PRIORITY])
def test_audit_1_3_instance_weights_count_exactly(strategy: StrategyName, weights: tuple[int, ...]) -> None:
    cycles = 10

    counts = first_counts(strategy, instances(*weights), no_draw, cycles * sum(weights))

    assert counts == {f"i{index}": cycles * weight for index, weight in enumerate(weights)}


@pytest.mark.parametrize("weights", SHARES)
def test_audit_1_3_route_weights_count_exactly_and_so_do_the_instances_below(weights: tuple[int, ...]) -> None:
    cycles = 8

    counts = first_counts(WRR, models(*weights), no_draw, cycles * sum(weights))

    for index, weight in enumerate(weights):
        picks = cycles * weight
        assert counts[f"m{index}-x"] == picks // 4
        assert counts[f"m{index}-y"] == picks - picks // 4


@pytest.mark.parametrize("weights", SHARES)
def test_audit_1_3_every_prefix_at_route_level_is_within_one_and_a_half_picks(weights: tuple[int, ...]) -> None:
    tree = arrange_by(WRR)("route", models(*weights), no_draw)
    walker = Walker()
    counts: Counter[str] = Counter()

    for length in range(1, 5 * sum(weights) + 1):
        taken = walker.take(tree)
        assert taken is not None
        counts[taken.split("-", 1)[0]] += 1
        for index, weight in enumerate(weights):
            assert abs(counts[f"m{index}"] - length * weight / sum(weights)) <= 1.5


@pytest.mark.parametrize("strategy", [WRR, PRIORITY])
def test_an_instance_that_was_refused_500_times_returns_without_a_burst(strategy: StrategyName) -> None:
    tree = arrange_by(strategy)("gpt-4", instances(5, 3, 2), no_draw)
    walker = Walker()

    while_refused = Counter(walker.take(tree, refused={"i0"}) for _ in range(500))
    after = Counter(walker.take(tree) for _ in range(10))

    assert while_refused == {"i1": 300, "i2": 200}
    assert abs(after["i0"] - 5) <= 1


def test_weighted_round_robin_leaves_out_weight_zero() -> None:
    assert first_counts(WRR, instances(2, 0, 1), no_draw, 30) == {"i0": 20, "i2": 10}


def test_weighted_round_robin_keeps_its_state_under_the_names_of_its_options() -> None:
    tree = arrange_by(WRR)("model:gpt-4:3f", instances(2, 1), no_draw)

    assert isinstance(tree, Weighted)
    assert tree.key == "model:gpt-4:3f"
    assert [(name, weight) for name, weight, _ in tree.children] == [("i0", 2_000), ("i1", 1_000)]


def test_audit_1_1_priority_takes_the_highest_and_then_the_next() -> None:
    options = [option("low", priority=50), option("high", priority=100), option("last", priority=-1)]
    tree = arrange_by(PRIORITY)("gpt-4", options, no_draw)
    walker = Walker()

    assert list(leaves(tree)) == ["high", "low", "last"]
    assert {walker.take(tree) for _ in range(20)} == {"high"}
    assert walker.take(tree, refused={"high"}) == "low"
    assert walker.take(tree, refused={"high", "low"}) == "last"
    assert walker.take(tree, refused={"high", "low", "last"}) is None


def test_priority_shares_among_equals_under_a_key_of_their_tier() -> None:
    options = [option("a", 2_000, priority=7), option("b", 1_000, priority=7), option("c", 9_000, priority=3)]

    tree = arrange_by(PRIORITY)("gpt-4", options, no_draw)

    assert isinstance(tree, Ordered)
    shared, alone = tree.children
    assert isinstance(shared, Weighted)
    assert shared.key == "gpt-4:p7"
    assert isinstance(alone, Leaf)
    assert first_counts(PRIORITY, options, no_draw, 30) == {"a": 20, "b": 10}


def test_slow_start_scales_a_share_and_never_the_order_of_priorities() -> None:
    options = [option("starting", 100, priority=2), option("warm", 1_000, priority=1)]

    assert arranged(PRIORITY, options, no_draw) == ["starting", "warm"]


def test_an_option_alone_in_its_tier_is_used_even_with_weight_zero() -> None:
    options = [option("drained", 0, priority=2), option("other", 1_000, priority=1)]

    assert first_counts(PRIORITY, options, no_draw, 5) == {"drained": 5}


def test_weight_zero_stands_by_behind_its_equals_and_before_lower_priorities() -> None:
    options = [option("standby", 0, priority=2), option("a", priority=2), option("b", priority=2), option("low")]
    tree = arrange_by(PRIORITY)("gpt-4", options, no_draw)
    walker = Walker()

    assert Counter(walker.take(tree) for _ in range(10)) == {"a": 5, "b": 5}
    assert walker.take(tree, refused={"a"}) == "b"
    assert walker.take(tree, refused={"a", "b"}) == "standby"
    assert walker.take(tree, refused={"a", "b", "standby"}) == "low"


def test_the_standbys_of_a_tier_take_turns_of_their_own() -> None:
    options = [option("a"), option("b"), option("x", 0), option("y", 0)]

    tree = arrange_by(PRIORITY)("gpt-4", options, no_draw)

    assert isinstance(tree, Ordered)
    assert [child.key for child in tree.children if isinstance(child, Weighted)] == ["gpt-4:p0", "gpt-4:p0:standby"]


def test_a_tier_of_weight_zero_only_is_shared_evenly() -> None:
    options = [option("x", 0, priority=2), option("y", 0, priority=2), option("low")]

    assert first_counts(PRIORITY, options, no_draw, 10) == {"x": 5, "y": 5}


def test_weighted_random_is_proportional_to_weight() -> None:
    picks = 20_000

    counts = first_counts(StrategyName.WEIGHTED_RANDOM, instances(7, 2, 1), seeded(), picks)

    expected = {"i0": 0.7 * picks, "i1": 0.2 * picks, "i2": 0.1 * picks}
    assert sum((counts[name] - mean) ** 2 / mean for name, mean in expected.items()) < 13.8  # chi-square, p = 0.001


def test_weighted_random_stays_proportional_among_the_rest() -> None:
    draw = seeded()
    picks = 20_000

    seconds = Counter(
        order[1]
        for order in (arranged(StrategyName.WEIGHTED_RANDOM, instances(7, 2, 1), draw) for _ in range(picks))
        if order[0] == "i0"
    )

    assert abs(seconds["i1"] / seconds.total() - 2 / 3) < 0.02


def test_weighted_random_takes_extreme_weights_and_draws() -> None:
    options = [option("tiny", 1), option("huge", 10**12)]

    assert arranged(StrategyName.WEIGHTED_RANDOM, options, lambda: 1 - 2**-53) == ["huge", "tiny"]
    assert sorted(arranged(StrategyName.WEIGHTED_RANDOM, options, lambda: 0.0)) == ["huge", "tiny"]


@pytest.mark.parametrize("strategy", [WRR, StrategyName.WEIGHTED_RANDOM])
def test_weighted_strategies_never_take_weight_zero_and_keep_it_for_the_reason(strategy: StrategyName) -> None:
    tree = arrange_by(strategy)("gpt-4", [option("never", 0), option("only")], seeded())

    assert set(leaves(tree)) == {"never", "only"}
    assert Walker().take(tree) == "only"
    assert Walker().take(tree, refused={"only"}) is None
    assert Walker().take(arrange_by(strategy)("gpt-4", [option("never", 0)], seeded())) is None
