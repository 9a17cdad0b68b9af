"""Weighted round-robin through the whole application: planner, admission and state, counted request by request."""

from collections import Counter
from collections.abc import Sequence
from math import gcd

import pytest

from adapters.testing.scripted_provider import fails
from adapters.testing.virtual_time import run_virtual
from domain.catalog import WEIGHT_SCALE, Catalog, Route, RouteModel, RouterPolicy
from domain.durations import SECOND_US
from domain.failure import FailureKind
from domain.identifiers import ModelName, RouteSlug
from domain.routing.strategy import StrategyName
from tests.unit.dispatch.gateway import Gateway, member, models

WRR = StrategyName.WEIGHTED_ROUND_ROBIN
SHARES = [(60, 40), (80, 20), (40, 35, 25), (1, 1), (5, 1, 1)]
REST_S = 60
RESTS = fails(FailureKind.RATE_LIMITED, status=429, retry_after_us=REST_S * SECOND_US)
LEVELS = pytest.mark.parametrize("level", ["instance", "equal priorities", "route", "route of equal priorities"])
WEIGHTS = pytest.mark.parametrize("weights", SHARES, ids=lambda weights: "-".join(map(str, weights)))


def gateway_of(level: str, weights: Sequence[int]) -> Gateway:
    """Members m0, m1, …: instances of the model `x`, or the models of the route `x`."""
    strategy = StrategyName.PRIORITY if "equal" in level else WRR
    if level.startswith("route"):
        route_models = tuple(
            RouteModel(ModelName(f"m{index}"), weight * WEIGHT_SCALE) for index, weight in enumerate(weights)
        )
        route = Route(RouteSlug("x"), "X", strategy, route_models)
        catalog = Catalog(
            models(*(member(f"m{index}", f"m{index}") for index in range(len(weights)))), routes={route.slug: route}
        )
        return Gateway(catalog)
    instances = (member("x", f"m{index}", weight_milli=weight * WEIGHT_SCALE) for index, weight in enumerate(weights))
    return Gateway(Catalog(models(*instances)), RouterPolicy(strategy=strategy))


async def picks(gateway: Gateway, count: int) -> list[str]:
    return [str((await gateway.complete("x")).instance.id) for _ in range(count)]


def share(weights: Sequence[int]) -> dict[str, int]:
    """What each member gets of one cycle."""
    divisor = gcd(*weights)
    return {f"m{index}": weight // divisor for index, weight in enumerate(weights)}


def assert_within(picked: Sequence[str], weights: Sequence[int], deviation: float) -> None:
    total = sum(weights)
    for length in range(1, len(picked) + 1):
        seen = Counter(picked[:length])
        for index, weight in enumerate(weights):
            assert abs(seen[f"m{index}"] - length * weight / total) <= deviation


@LEVELS
@WEIGHTS
def test_audit_1_3_shares_are_exact_in_every_cycle_and_close_in_every_prefix(
    level: str, weights: tuple[int, ...]
) -> None:
    async def scenario() -> None:
        cycle = sum(share(weights).values())
        picked = await picks(gateway_of(level, weights), 5 * cycle)

        for start in range(0, len(picked), cycle):
            assert Counter(picked[start : start + cycle]) == share(weights)
        assert_within(picked, weights, 1.5)

    run_virtual(scenario())


@LEVELS
@WEIGHTS
@pytest.mark.parametrize("away", [0, 1])
def test_audit_1_3_a_member_that_leaves_and_returns_gets_no_burst(
    level: str, weights: tuple[int, ...], away: int
) -> None:
    async def scenario() -> None:
        gateway = gateway_of(level, weights)
        cycle = sum(share(weights).values())
        await picks(gateway, cycle + cycle // 2)
        gateway.upstream(f"m{away}").script.append(RESTS)
        await picks(gateway, cycle)
        without = await picks(gateway, 200)
        await gateway.clock.sleep((REST_S + 1) * SECOND_US)

        back = await picks(gateway, 3 * cycle)

        rest = [weight if index != away else 0 for index, weight in enumerate(weights)]
        assert f"m{away}" not in without
        assert_within(without, rest, 2)
        assert_within(back, weights, 2)

    run_virtual(scenario())


@WEIGHTS
def test_audit_1_3_weights_count_at_both_levels_at_once(weights: tuple[int, ...]) -> None:
    async def scenario() -> None:
        names = [f"m{index}" for index in range(len(weights))]
        route_models = tuple(
            RouteModel(ModelName(name), weight * WEIGHT_SCALE) for name, weight in zip(names, weights, strict=True)
        )
        instances = [
            member(name, f"{name}-{part}", weight_milli=weight * WEIGHT_SCALE)
            for name in names
            for part, weight in (("x", 3), ("y", 1))
        ]
        route = Route(RouteSlug("x"), "X", WRR, route_models)
        gateway = Gateway(Catalog(models(*instances), routes={route.slug: route}), RouterPolicy(strategy=WRR))

        picked = Counter(await picks(gateway, 4 * sum(weights)))

        for name, weight in zip(names, weights, strict=True):
            assert (picked[f"{name}-x"], picked[f"{name}-y"]) == (3 * weight, weight)

    run_virtual(scenario())


def test_audit_3_each_route_has_turns_and_a_strategy_of_its_own() -> None:
    async def scenario() -> None:
        names = [ModelName("m0"), ModelName("m1")]
        routes = {
            RouteSlug(slug): Route(RouteSlug(slug), slug, strategy, tuple(RouteModel(name) for name in names))
            for slug, strategy in (("one", WRR), ("two", WRR), ("first", StrategyName.PRIORITY))
        }
        routes[RouteSlug("first")] = Route(
            RouteSlug("first"), "first", StrategyName.PRIORITY, (RouteModel(names[0], priority=1), RouteModel(names[1]))
        )
        gateway = Gateway(Catalog(models(*(member(name, name) for name in names)), routes=routes))

        mixed = {slug: list[str]() for slug in ("one", "two", "first")}
        for slug in ("one", "two", "one", "first", "two", "two", "first", "one", "one", "first", "two"):
            mixed[slug].append(str((await gateway.complete(slug)).instance.id))

        assert mixed == {
            "one": ["m0", "m1", "m0", "m1"],
            "two": ["m0", "m1", "m0", "m1"],
            "first": ["m0", "m0", "m0"],
        }

    run_virtual(scenario())
