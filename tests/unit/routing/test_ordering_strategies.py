from collections import Counter
from collections.abc import Iterable

import pytest

from domain.routing.strategy import Option, StrategyName
from tests.unit.routing.trees import arranged, first_counts, no_draw, option, seeded

PICKS = 12_000
CHI_SQUARE_P_001 = {2: 10.8, 3: 13.8, 4: 16.3, 6: 20.5}  # by number of outcomes


def assert_uniform(counts: Counter[str | None], names: Iterable[str]) -> None:
    expected = set(names)
    mean = counts.total() / len(expected)
    assert set(counts) == expected
    assert sum((count - mean) ** 2 / mean for count in counts.values()) < CHI_SQUARE_P_001[len(expected)]


def timed(**latency_us: int | None) -> list[Option]:
    return [option(name, expected_latency_us=value) for name, value in latency_us.items()]


def test_audit_1_4_random_is_uniform_whatever_weight_and_priority() -> None:
    options = [option("a", 9_000), option("b", 0), option("c", priority=100), option("d", in_flight=50)]

    assert_uniform(first_counts(StrategyName.RANDOM, options, seeded(), PICKS), "abcd")


def test_random_orders_are_all_alike() -> None:
    draw = seeded()
    options = [option("a"), option("b"), option("c")]

    orders: Counter[str | None] = Counter("".join(arranged(StrategyName.RANDOM, options, draw)) for _ in range(PICKS))

    assert_uniform(orders, ["abc", "acb", "bac", "bca", "cab", "cba"])


def test_audit_1_2_least_latency_tells_two_instances_of_one_model_apart() -> None:
    slow = option("gpt4-eu", expected_latency_us=2_000_000)
    fast = option("gpt4-us", expected_latency_us=400_000)

    assert arranged(StrategyName.LEAST_LATENCY, [slow, fast], seeded()) == ["gpt4-us", "gpt4-eu"]
    assert arranged(StrategyName.LEAST_LATENCY, [fast, slow], seeded()) == ["gpt4-us", "gpt4-eu"]


def test_least_latency_multiplies_by_the_requests_it_would_serve() -> None:
    fast_but_busy = option("busy", expected_latency_us=400_000, in_flight=4)
    slower_and_idle = option("idle", expected_latency_us=1_500_000)

    assert arranged(StrategyName.LEAST_LATENCY, [fast_but_busy, slower_and_idle], seeded()) == ["idle", "busy"]


def test_least_latency_is_uniform_among_those_within_15_percent_of_the_best() -> None:
    options = timed(far=2_000_000, best=1_000_000, near=1_100_000, edge=1_150_000, out=1_150_001)

    counts = first_counts(StrategyName.LEAST_LATENCY, options, seeded(), PICKS)

    assert_uniform(counts, ["best", "near", "edge"])


def test_least_latency_tries_the_rest_by_ascending_cost() -> None:
    options = timed(d=4_000_000, c=3_000_000, a=1_000_000, b=2_000_000)

    assert arranged(StrategyName.LEAST_LATENCY, options, seeded()) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"a": 1_000_000, "b": 3_000_000, "c": 9_000_000}, ["a", "b", "new", "c"]),
        ({"a": 1_000_000, "c": 3_000_000}, ["a", "new", "c"]),
    ],
)
def test_least_latency_takes_an_unmeasured_instance_for_a_middling_one(
    known: dict[str, int], expected: list[str]
) -> None:
    orders = {tuple(arranged(StrategyName.LEAST_LATENCY, timed(**known, new=None), seeded(seed))) for seed in range(20)}

    assert tuple(expected) in orders
    assert all(order[-1] == "c" for order in orders)


def test_least_latency_takes_unmeasured_instances_for_one_second_each() -> None:
    options = [option("a", in_flight=1), option("b", in_flight=0), option("c", in_flight=2)]

    assert arranged(StrategyName.LEAST_LATENCY, options, seeded()) == ["b", "a", "c"]


def test_audit_1_2_least_latency_works_on_the_models_of_a_route() -> None:
    slow = option("claude", node=option("claude-1").node, expected_latency_us=900_000)
    fast = option("gpt-4", node=option("gpt-4-1").node, expected_latency_us=300_000)

    assert arranged(StrategyName.LEAST_LATENCY, [slow, fast], seeded()) == ["gpt-4-1", "claude-1"]


def test_least_busy_takes_the_fewest_requests_in_flight() -> None:
    options = [option("a", in_flight=3), option("b", in_flight=1), option("c", in_flight=2)]

    assert arranged(StrategyName.LEAST_BUSY, options, seeded()) == ["b", "c", "a"]


def test_lessons_least_busy_spreads_ties() -> None:
    options = [option("a"), option("b"), option("busy", in_flight=1), option("c")]

    assert_uniform(first_counts(StrategyName.LEAST_BUSY, options, seeded(), PICKS), "abc")


def test_least_cost_takes_the_cheapest_and_spreads_ties() -> None:
    options = [option("dear", cost_nano=12_000), option("a", cost_nano=900), option("b", cost_nano=900)]

    assert arranged(StrategyName.LEAST_COST, options, seeded())[-1] == "dear"
    assert_uniform(first_counts(StrategyName.LEAST_COST, options, seeded(), PICKS), "ab")


def test_most_headroom_takes_the_largest_share_left_and_spreads_ties() -> None:
    options = [option("full", headroom=0.05), option("a", headroom=0.8), option("b", headroom=0.8)]

    assert arranged(StrategyName.MOST_HEADROOM, options, seeded())[-1] == "full"
    assert_uniform(first_counts(StrategyName.MOST_HEADROOM, options, seeded(), PICKS), "ab")


@pytest.mark.parametrize("name", StrategyName)
def test_every_strategy_takes_a_single_option_without_chance_or_with(name: StrategyName) -> None:
    assert arranged(name, [option("only")], seeded()) == ["only"]


@pytest.mark.parametrize("name", StrategyName)
def test_every_strategy_makes_an_empty_tree_of_no_options(name: StrategyName) -> None:
    assert arranged(name, [], no_draw) == []


@pytest.mark.parametrize("name", StrategyName)
def test_every_strategy_keeps_each_option_once(name: StrategyName) -> None:
    options = [option(letter, priority=index % 2, in_flight=index % 3) for index, letter in enumerate("abcdef")]

    assert sorted(arranged(name, options, seeded())) == list("abcdef")
