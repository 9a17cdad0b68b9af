"""From views of instances to the tree that admission walks."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from domain.catalog import Catalog, Instance, InstanceLimits, Route, RouteModel
from domain.chat import Usage
from domain.failure import Cooldown
from domain.identifiers import InstanceId, ModelName, RouteSlug
from domain.pricing import Prices
from domain.resilience.circuit_breaker import CircuitBreakerConfig, CircuitState
from domain.routing.instance_state import InstanceView
from domain.routing.plan import Planner
from domain.routing.strategy import Node, StrategyName, Weighted, leaves
from tests.unit.routing.trees import seeded

GPT, SMALL = ModelName("gpt"), ModelName("small")
IDLE = InstanceView(CircuitState.CLOSED, False, 0, None, 1.0, 0, 0, 0, None)
OPEN = replace(IDLE, circuit=CircuitState.OPEN, open_until_us=50)
DUE = replace(OPEN, due=True)
HALF_OPEN = replace(IDLE, circuit=CircuitState.HALF_OPEN)
MISCONFIGURED = replace(IDLE, cooldown=Cooldown.MISCONFIGURED)


def member(name: str, model: ModelName = GPT, **changes: object) -> Instance:
    return replace(Instance(InstanceId(name), model, "custom", "upstream"), **changes)  # type: ignore[arg-type]


def planner(
    instances: Sequence[Instance],
    views: dict[str, InstanceView],
    *,
    strategy: StrategyName = StrategyName.PRIORITY,
    route: Route | None = None,
) -> Planner:
    by_model: dict[ModelName, tuple[Instance, ...]] = {}
    for instance in instances:
        by_model[instance.model_name] = (*by_model.get(instance.model_name, ()), instance)
    catalog = Catalog(by_model, routes={route.slug: route} if route else {})
    return Planner(
        catalog=catalog,
        strategy=strategy,
        breaker=CircuitBreakerConfig(),
        expected=Usage(1_000, 100),
        view_of=lambda instance: views.get(instance.id, IDLE),
        draw=seeded(),
    )


def order(node: Node) -> list[str]:
    return [leaf.instance.id + ("!" if leaf.last_resort else "") for leaf in leaves(node)]


def ranked(names: str, views: dict[str, InstanceView], left: str | None = None) -> list[str]:
    """The plan's leaves for instances of falling priority; `!` marks a last resort."""
    instances = [member(name, priority=-rank) for rank, name in enumerate(names)]
    candidates = [instance for instance in instances if instance.id in (left or names)]
    return order(planner(instances, views).plan_model(GPT, candidates))


def test_within_the_cap_an_open_instance_keeps_its_place() -> None:
    assert ranked("abcd", {"a": OPEN, "b": OPEN}) == ["a", "b", "c", "d"]


def test_beyond_the_cap_the_open_ones_stand_behind_all_others_and_the_soonest_first() -> None:
    views = {"a": OPEN, "b": replace(OPEN, open_until_us=20), "c": replace(OPEN, open_until_us=40)}

    assert ranked("abcd", views) == ["d", "b!", "c!", "a!"]


def test_due_and_half_open_instances_are_probed_in_their_place_and_count_as_ejected() -> None:
    assert ranked("abcd", {"a": DUE, "b": HALF_OPEN, "c": OPEN}) == ["a", "b", "d", "c!"]


def test_the_only_instance_of_a_model_does_open() -> None:
    assert ranked("a", {"a": OPEN}) == ["a"]


def test_the_cap_counts_instances_that_this_request_has_already_tried() -> None:
    assert ranked("ab", {"a": OPEN, "b": OPEN}, left="a") == ["a!"]


def test_disabled_instances_do_not_widen_the_cap() -> None:
    instances = [member(name, enabled=name in "ab") for name in "abcd"]

    plan = planner(instances, {"a": OPEN, "b": OPEN}).plan_model(GPT, instances[:2])

    assert order(plan) == ["a!", "b!"]


def test_a_misconfigured_instance_is_the_last_resort_of_its_model() -> None:
    assert ranked("ab", {"a": MISCONFIGURED}) == ["b", "a!"]


def test_a_misconfigured_instance_with_an_open_circuit_is_not_probed_before_its_time() -> None:
    assert ranked("ab", {"a": replace(OPEN, cooldown=Cooldown.MISCONFIGURED)}) == ["a", "b"]


def test_last_resorts_of_a_route_stand_behind_all_of_its_models() -> None:
    route = Route(RouteSlug("r"), "R", StrategyName.PRIORITY, (RouteModel(GPT, priority=2), RouteModel(SMALL)))
    big, small = member("big"), member("small", SMALL)

    plan = planner([big, small], {"big": MISCONFIGURED}, route=route).plan_route(
        route, [(route.models[0], [big]), (route.models[1], [small])]
    )

    assert order(plan) == ["small", "big!"]


def first_of_route(
    strategy: StrategyName, gpt: Sequence[Instance], small: Sequence[Instance], views: dict[str, InstanceView]
) -> str:
    route = Route(RouteSlug("r"), "R", strategy, (RouteModel(GPT), RouteModel(SMALL)))
    plan = planner([*gpt, *small], views, route=route).plan_route(
        route, [(route.models[0], gpt), (route.models[1], small)]
    )
    first = next(leaves(plan))
    return first.instance.model_name


def priced(name: str, price: int, model: ModelName = GPT, **changes: object) -> Instance:
    return member(name, model, own_prices=Prices(price, price), **changes)


def test_the_cost_of_a_routes_model_is_that_of_its_cheapest_instance() -> None:
    gpt, small = [priced("g1", 9_000_000), priced("g2", 1_000_000)], [priced("s", 5_000_000, SMALL)]

    assert first_of_route(StrategyName.LEAST_COST, gpt, small, {}) == GPT


@pytest.mark.parametrize(
    "cheap_view",
    [
        OPEN,
        replace(IDLE, cooldown=Cooldown.RATE_LIMITED),
        replace(IDLE, requests_used=10),
        replace(IDLE, tokens_used=9_000),
        replace(IDLE, in_flight=3),
    ],
)
def test_an_instance_that_cannot_be_selected_does_not_make_its_model_cheap(cheap_view: InstanceView) -> None:
    cheap = priced("g2", 1_000_000, limits=InstanceLimits(10, 10_000, 3))
    gpt, small = [priced("g1", 9_000_000), cheap], [priced("s", 5_000_000, SMALL)]

    assert first_of_route(StrategyName.LEAST_COST, gpt, small, {"g2": cheap_view}) == SMALL


def test_the_latency_of_a_routes_model_is_that_of_its_best_selectable_instance() -> None:
    gpt, small = [member("g1"), member("g2")], [member("s", SMALL)]
    views = {
        "g1": replace(IDLE, latency_us=900_000),
        "g2": replace(IDLE, latency_us=100_000),
        "s": replace(IDLE, latency_us=500_000),
    }

    assert first_of_route(StrategyName.LEAST_LATENCY, gpt, small, views) == GPT
    views["g2"] = replace(OPEN, latency_us=100_000)
    assert first_of_route(StrategyName.LEAST_LATENCY, gpt, small, views) == SMALL


def test_the_load_of_a_routes_model_is_the_sum_of_its_instances() -> None:
    gpt, small = [member("g1"), member("g2")], [member("s", SMALL)]
    views = {"g1": replace(IDLE, in_flight=2), "g2": replace(IDLE, in_flight=2), "s": replace(IDLE, in_flight=3)}

    assert first_of_route(StrategyName.LEAST_BUSY, gpt, small, views) == SMALL


def test_the_headroom_of_a_routes_model_is_its_share_of_the_sum_of_limits() -> None:
    limits = InstanceLimits(requests_per_minute=100)
    gpt = [member("g1", limits=limits), member("g2", limits=limits)]
    small = [member("s", SMALL, limits=limits)]
    views = {"g1": replace(IDLE, requests_used=100), "s": replace(IDLE, requests_used=40)}

    assert first_of_route(StrategyName.MOST_HEADROOM, gpt, small, views) == SMALL  # 50 % against 60 %
    views["s"] = replace(IDLE, requests_used=60)
    assert first_of_route(StrategyName.MOST_HEADROOM, gpt, small, views) == GPT


def test_slow_start_scales_weights_and_leaves_weight_zero_alone() -> None:
    instances = [member("a", weight_milli=5_000), member("b", weight_milli=1), member("c", weight_milli=0)]
    slow = replace(IDLE, weight_factor=0.1)

    plan = planner(instances, {"a": slow, "b": slow, "c": slow}, strategy=StrategyName.WEIGHTED_ROUND_ROBIN).plan_model(
        GPT, instances
    )

    assert isinstance(plan, Weighted)
    assert [(name, weight) for name, weight, _ in plan.children] == [("a", 500), ("b", 1), ("c", 0)]


def test_slow_start_never_changes_the_order_of_priorities() -> None:
    assert ranked("ab", {"a": replace(IDLE, weight_factor=0.1)}) == ["a", "b"]
