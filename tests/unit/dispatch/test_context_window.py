"""Prompts that are too long for some of those who could serve them."""

import pytest

from adapters.testing.scripted_provider import fails
from adapters.testing.virtual_time import run_virtual
from application.errors import UpstreamRefused
from domain.catalog import Catalog, Instance, Route, RouteModel
from domain.failure import FailureKind
from domain.identifiers import ModelName, RouteSlug
from domain.routing.strategy import StrategyName
from tests.unit.dispatch.gateway import Gateway, member, models

SMALL, BIG, OTHER, LAST = ModelName("small"), ModelName("big"), ModelName("other"), ModelName("last")
TOO_LONG = fails(FailureKind.CONTEXT_LENGTH, status=400)
DOWN = fails(FailureKind.SERVER_ERROR, status=500)


def four_models() -> dict[ModelName, tuple[Instance, ...]]:
    return models(*(member(name, f"{name}-1") for name in (SMALL, BIG, OTHER, LAST)))


def route(*names: ModelName, fallbacks: tuple[ModelName, ...] = ()) -> dict[RouteSlug, Route]:
    members = tuple(RouteModel(name, priority=-rank) for rank, name in enumerate(names))
    return {RouteSlug("r"): Route(RouteSlug("r"), "R", StrategyName.PRIORITY, members, fallbacks)}


def test_a_context_fallback_may_be_another_model_of_the_same_route() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(four_models(), routes=route(SMALL, BIG), context_window_fallbacks={SMALL: (BIG,)}))
        gateway.upstream("small-1").otherwise = TOO_LONG

        assert (await gateway.complete("r")).instance.id == "big-1"

    run_virtual(scenario())


def test_a_routes_ordinary_fallbacks_are_not_asked_when_the_prompt_is_too_long() -> None:
    async def scenario() -> None:
        gateway = Gateway(
            Catalog(
                four_models(),
                routes=route(SMALL, fallbacks=(OTHER,)),
                context_window_fallbacks={BIG: (LAST,)},
            )
        )
        gateway.upstream("small-1").otherwise = TOO_LONG

        with pytest.raises(UpstreamRefused):
            await gateway.complete("r")

        assert gateway.calls() == {"small-1": 1}

    run_virtual(scenario())


def test_ordinary_fallbacks_still_waiting_are_dropped_when_one_says_too_long() -> None:
    async def scenario() -> None:
        gateway = Gateway(
            Catalog(
                four_models(),
                fallbacks={SMALL: (OTHER, LAST)},
                context_window_fallbacks={OTHER: (BIG,)},
            )
        )
        gateway.upstream("small-1").otherwise = DOWN
        gateway.upstream("other-1").otherwise = TOO_LONG

        completed = await gateway.complete("small")

        assert completed.trace.models_visited == ["small", "other", "big"]

    run_virtual(scenario())


def test_the_next_context_fallback_has_its_turn_where_the_first_is_too_small_as_well() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(four_models(), context_window_fallbacks={SMALL: (BIG, LAST)}))
        gateway.upstream("small-1").otherwise = gateway.upstream("big-1").otherwise = TOO_LONG

        assert (await gateway.complete("small")).instance.id == "last-1"

    run_virtual(scenario())


def test_a_context_fallback_that_fails_goes_on_to_its_own_ordinary_fallbacks() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(four_models(), fallbacks={BIG: (LAST,)}, context_window_fallbacks={SMALL: (BIG,)}))
        gateway.upstream("small-1").otherwise = TOO_LONG
        gateway.upstream("big-1").otherwise = DOWN

        assert (await gateway.complete("small")).instance.id == "last-1"

    run_virtual(scenario())


def test_a_routes_model_that_is_too_small_is_passed_over_while_another_model_fits() -> None:
    async def scenario() -> None:
        tight, wide = member("small", "tight", context_window=100), member("big", "wide", context_window=9_000)
        gateway = Gateway(Catalog(models(tight, wide), routes=route(SMALL, BIG)))

        completed = await gateway.complete("r", input_tokens=500)

        assert completed.instance.id == "wide"
        assert [(r.instance_id, r.reason) for r in completed.trace.exclusions] == [("tight", "context_window")]
        assert (await gateway.complete("r", input_tokens=5, max_output_tokens=5)).instance.id == "tight"

    run_virtual(scenario())


def test_a_route_of_models_that_are_all_too_small_asks_them_all_the_same() -> None:
    async def scenario() -> None:
        tight = member("small", "tight", context_window=100)
        gateway = Gateway(Catalog(models(tight), routes=route(SMALL)))

        assert (await gateway.complete("r", input_tokens=500)).instance.id == "tight"

    run_virtual(scenario())
