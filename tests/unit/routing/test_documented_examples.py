"""Every number in docs/strategies.md that can be computed is computed here and looked up there."""

from collections import Counter
from math import sqrt
from pathlib import Path

import pytest

from domain.chat import Usage
from domain.durations import SECOND_US
from domain.health import health_score
from domain.latency import PeakEwma, observe, observe_failure, observe_lower_bound, read
from domain.money import format_dollars
from domain.pricing import Prices
from domain.routing.smooth_weighted_round_robin import pick
from domain.routing.strategies import ALIASES, arrange_by
from domain.routing.strategy import StrategyName
from tests.unit.routing.trees import Walker, arranged, no_draw, option, seeded

DOCUMENT = (Path(__file__).parents[3] / "docs" / "strategies.md").read_text(encoding="utf-8")


def section(name: str) -> str:
    return DOCUMENT.split(f"\n## {name}\n", 1)[1].split("\n## ", 1)[0]


@pytest.mark.parametrize("name", StrategyName)
def test_every_strategy_has_its_section(name: StrategyName) -> None:
    assert section(name.value)


def test_every_old_name_is_documented() -> None:
    for old, name in ALIASES.items():
        assert f"`{old}` is `{name.value}`" in section("What holds for all of them")


@pytest.mark.parametrize(
    ("refused", "case"),
    [
        ((), "All well"),
        (("openai",), "openai is out"),
        (("openai", "azure-1"), "openai and azure-1 are out"),
        (("openai", "azure-1", "azure-2"), "only spare is left"),
    ],
)
def test_the_example_of_priority(refused: tuple[str, ...], case: str) -> None:
    options = [
        option("openai", 1_000, priority=100),
        option("azure-1", 3_000, priority=50),
        option("azure-2", 1_000, priority=50),
        option("spare", 0, priority=50),
    ]
    tree = arrange_by(StrategyName.PRIORITY)("gpt-4", options, no_draw)
    walker = Walker()

    taken = [str(walker.take(tree, refused)) for _ in range(4)]

    assert f"- {case}: `{' '.join(taken)}`" in section("priority")


def test_the_table_of_weighted_round_robin() -> None:
    weights = [("a", 5), ("b", 1), ("c", 1)]
    credits_now = dict.fromkeys("abc", 0)
    order = []

    for turn in range(1, 8):
        grown = {name: credits_now[name] + weight for name, weight in weights}
        chosen, credits_now = pick(weights, credits_now)
        order.append(chosen)
        before, after = (", ".join(f"{k} {v}" for k, v in held.items()) for held in (grown, credits_now))
        assert f"| {turn} | {before} | {chosen} | {after} |" in section("weighted-round-robin")

    assert f"`{' '.join(order)}`" in section("weighted-round-robin")


def test_the_sequence_of_60_and_40() -> None:
    credits_now: dict[str, int] = {}
    order = []
    for _ in range(10):
        chosen, credits_now = pick([("a", 60), ("b", 40)], credits_now)
        order.append(chosen)

    assert order[:5] == order[5:]
    assert f"Weights 60 and 40 repeat `{' '.join(order[:5])}`" in section("weighted-round-robin")


def test_the_table_of_least_latency() -> None:
    facts = [("a", 900_000, 1), ("b", 2_000_000, 0), ("c", 700_000, 3), ("new", None, 2)]
    options = [option(name, expected_latency_us=latency, in_flight=load) for name, latency, load in facts]

    orders = {" ".join(arranged(StrategyName.LEAST_LATENCY, options, seeded(seed))) for seed in range(30)}

    assert orders == {"a b new c", "b a new c"}
    for name, latency, load in facts:
        shown = "not measured" if latency is None else f"{latency / SECOND_US} s"
        cost = (latency or 900_000) * (load + 1) / SECOND_US
        assert f"| {name} | {shown} | {load} | {cost} s |" in section("least-latency")
    assert f"{1.8 * 1.15:.2f} s" in section("least-latency")


def test_the_table_of_expected_latency() -> None:
    state = PeakEwma(4 * SECOND_US, 0)
    later = 30 * SECOND_US

    def row(what: str, estimate_us: int | None, digits: int = 0) -> None:
        assert estimate_us is not None
        assert f"| {what} | {estimate_us / SECOND_US:.{digits}f} s" in section("least-latency")

    row("a reply takes 6 s", observe(state, 6 * SECOND_US, 0).estimate_us)
    row("30 s later a reply takes 1 s", observe(state, SECOND_US, later).estimate_us, 1)
    row("nothing for 30 s", read(state, later), 2)
    row("nothing for 60 s", read(state, 2 * later), 2)
    assert read(state, 150 * SECOND_US) is None
    assert "| nothing for 150 s | forgotten: not measured |" in section("least-latency")
    row("a failure after 1 ms", observe_failure(state, 1_000, 0).estimate_us)
    for seconds in (2, 9):
        raised = observe_lower_bound(state, seconds * SECOND_US, 0)
        row(f"the client gave up after {seconds} s", read(raised, 0))


def test_the_chances_of_weighted_random() -> None:
    draw = seeded()
    options = [option("a", 7_000), option("b", 2_000), option("c", 1_000)]

    firsts = Counter(arranged(StrategyName.WEIGHTED_RANDOM, options, draw)[0] for _ in range(20_000))

    assert [round(firsts[name] / 2_000) * 10 for name in "abc"] == [70, 20, 10]
    spread = 1.96 * sqrt(100 * 0.7 * 0.3)
    assert f"{round(70 - spread)} to {round(70 + spread)} in 95" in section("weighted-random")


def test_the_example_of_least_busy() -> None:
    options = [option("a", in_flight=4), option("b", in_flight=2), option("c", in_flight=2)]

    orders = {" ".join(arranged(StrategyName.LEAST_BUSY, options, seeded(seed))) for seed in range(30)}

    assert orders == {"b c a", "c b a"}


def test_the_table_of_least_cost() -> None:
    million = 1_000_000_000
    prices = {
        "large": Prices(input=million * 5 // 2, output=10 * million),
        "small": Prices(input=million // 2, output=million * 3 // 2),
        "cheap-in": Prices(input=million // 10, output=4 * million),
    }
    costs = {name: price.cost_nano(Usage(1_000, 500)) for name, price in prices.items()}

    order = arranged(StrategyName.LEAST_COST, [option(k, cost_nano=v) for k, v in costs.items()], seeded())

    for name, cost_nano in costs.items():
        row = next(line for line in section("least-cost").splitlines() if line.startswith(f"| {name} |"))
        assert row.endswith(f"| ${format_dollars(cost_nano)} |")
    assert f"`{' '.join(order)}`" in section("least-cost")


def test_the_table_of_most_headroom() -> None:
    options = [option("a", headroom=min(0.2, 0.7)), option("b", headroom=0.5), option("c")]

    order = arranged(StrategyName.MOST_HEADROOM, options, seeded())

    assert f"`{' '.join(order)}`" in section("most-headroom")


def test_the_health_scores() -> None:
    assert f"2.875 s is {health_score(2_875_000)}, 5.25 s is {health_score(5_250_000)}" in section("The health score")
