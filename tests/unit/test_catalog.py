"""A catalog contradicts itself nowhere, or is refused with the names of the entries."""

from dataclasses import replace
from itertools import pairwise

import pytest

from domain.catalog import Catalog, CatalogError, Instance, Route, RouteModel, refuse_cycles
from domain.identifiers import InstanceId, ModelName, RouteSlug
from domain.routing.strategy import StrategyName

GPT, SMALL, NONE = ModelName("gpt"), ModelName("small"), ModelName("none")
ROUTE = Route(RouteSlug("smart"), "Smart", StrategyName.PRIORITY, (RouteModel(GPT), RouteModel(SMALL)))


def member(name: str, model: ModelName = GPT, weight_milli: int = 1_000) -> Instance:
    return Instance(InstanceId(name), model, "custom", "upstream", weight_milli=weight_milli)


MODELS = {GPT: (member("a"), member("b")), SMALL: (member("c", SMALL),)}


def with_route(route: Route) -> Catalog:
    return Catalog(MODELS, routes={route.slug: route})


def test_audit_2_1_two_instances_with_one_id_are_refused() -> None:
    with pytest.raises(CatalogError, match="two instances have the id 'a'"):
        Catalog({GPT: (member("a"),), SMALL: (member("a", SMALL),)})


def test_a_name_is_either_a_model_or_an_alias() -> None:
    with pytest.raises(CatalogError, match="'small' is both a model and an alias"):
        Catalog(MODELS, aliases={"small": GPT})


@pytest.mark.parametrize("slug", ["gpt", "latest"])
def test_a_name_is_either_a_route_or_a_model_or_alias(slug: str) -> None:
    route = replace(ROUTE, slug=RouteSlug(slug))

    with pytest.raises(CatalogError, match=f"'{slug}' is both a route and a model or alias"):
        Catalog(MODELS, aliases={"latest": GPT}, routes={route.slug: route})


def test_an_alias_to_nowhere_is_refused() -> None:
    with pytest.raises(CatalogError, match="alias 'x' refers to 'none', which is not a model"):
        Catalog(MODELS, aliases={"x": NONE})


def test_fallbacks_from_and_to_nowhere_are_refused() -> None:
    with pytest.raises(CatalogError, match="fallback of 'gpt' refers to 'none'"):
        Catalog(MODELS, fallbacks={GPT: (NONE,)})
    with pytest.raises(CatalogError, match="context-window fallback of 'none' refers to 'none'"):
        Catalog(MODELS, context_window_fallbacks={NONE: (GPT,)})


@pytest.mark.parametrize("route", [replace(ROUTE, models=(RouteModel(NONE),)), replace(ROUTE, fallback_models=(NONE,))])
def test_a_route_to_nowhere_is_refused(route: Route) -> None:
    with pytest.raises(CatalogError, match="route 'smart' refers to 'none'"):
        with_route(route)


def test_a_route_that_holds_a_model_twice_is_refused() -> None:
    with pytest.raises(CatalogError, match="route 'smart' holds the model 'gpt' twice"):
        with_route(replace(ROUTE, models=(RouteModel(GPT, 1_000), RouteModel(GPT, 2_000))))


def test_audit_2_1_a_cycle_is_named_wherever_it_hides() -> None:
    a, b, c, d = (ModelName(name) for name in "abcd")

    with pytest.raises(CatalogError, match="model_fallbacks form a cycle: b > c > d > b"):
        refuse_cycles({a: (b,), b: (c,), c: (d,), d: (b,)}, "model_fallbacks")
    with pytest.raises(CatalogError, match="cycle: a > a"):
        refuse_cycles({a: (a,)}, "model_fallbacks")


def test_two_ways_to_one_model_are_no_cycle() -> None:
    a, b, c, d = (ModelName(name) for name in "abcd")

    refuse_cycles({a: (b, c), b: (d,), c: (d,)}, "model_fallbacks")


def test_a_chain_of_thousands_of_fallbacks_is_checked() -> None:
    names = [ModelName(f"m{number}") for number in range(5_000)]
    chain = {name: (following,) for name, following in pairwise(names)}

    refuse_cycles(chain, "model_fallbacks")
    with pytest.raises(CatalogError, match=r"m4999 > m0$"):
        refuse_cycles({**chain, names[-1]: (names[0],)}, "model_fallbacks")


def test_names_resolve_to_routes_models_and_aliases() -> None:
    catalog = Catalog(MODELS, aliases={"latest": GPT}, routes={ROUTE.slug: ROUTE})

    smart, gpt, latest = (catalog.resolve(name) for name in ("smart", "gpt", "latest"))
    assert smart is not None
    assert smart.route is ROUTE
    assert gpt is not None
    assert gpt == latest
    assert gpt.model == GPT
    assert catalog.resolve("none") is None


def test_a_disabled_route_is_unknown() -> None:
    assert with_route(replace(ROUTE, enabled=False)).resolve("smart") is None


def test_turns_are_named_alike_in_every_gateway_of_one_configuration() -> None:
    one, other = with_route(ROUTE), with_route(ROUTE)

    assert one.model_turn_key(GPT) == other.model_turn_key(GPT)
    assert one.route_turn_key(ROUTE.slug) == other.route_turn_key(ROUTE.slug)


def test_turns_start_anew_when_members_or_weights_change() -> None:
    heavier = (member("a", weight_milli=2_000), member("b"))
    keys = {
        Catalog({GPT: instances}).model_turn_key(GPT)
        for instances in (MODELS[GPT], heavier, MODELS[GPT][:1], MODELS[GPT][::-1])
    }
    route_keys = {
        with_route(replace(ROUTE, models=models)).route_turn_key(ROUTE.slug)
        for models in (ROUTE.models, (RouteModel(GPT, 2_000), RouteModel(SMALL)), ROUTE.models[:1])
    }

    assert len(keys) == 4
    assert len(route_keys) == 3


def test_a_model_and_a_route_never_share_turns() -> None:
    catalog = with_route(ROUTE)

    assert catalog.model_turn_key(GPT) != catalog.route_turn_key(ROUTE.slug)
    assert catalog.model_turn_key(GPT) != catalog.model_turn_key(SMALL)
