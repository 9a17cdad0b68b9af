"""Prices, as administrators see and set them."""

from typing import Any

import pytest

from domain.price_override import PriceOverride
from tests.integration.http.admin_world import NOW, NOW_US, World, world_client

OVERRIDE = {
    "provider": "openai",
    "model": "org/gpt-4o",
    "input_cost_per_token": "0.0000025",
    "output_cost_per_token": "0.00001",
}


async def test_prices_in_force_are_those_that_requests_are_billed_at() -> None:
    listed = (await (await world_client("viewer"))("GET", "/prices")).json

    assert listed == {
        "data": [
            {
                "instance": "a-priced",
                "model_name": "gpt-4",
                "provider": "openai",
                "model": "gpt-4o",
                "input_cost_per_token": "0.0000025",
                "output_cost_per_token": "0.00001",
                "cached_input_cost_per_token": None,
                "cost_per_unit": "0",
                "source": "shipped",
                "dated": "2026-11-01",
            },
            {
                "instance": "b-unpriced",
                "model_name": "own",
                "provider": "vllm",
                "model": "own",
                "input_cost_per_token": None,
                "output_cost_per_token": None,
                "cached_input_cost_per_token": None,
                "cost_per_unit": None,
                "source": None,
                "dated": None,
            },
        ],
        "next": None,
    }


async def test_prices_come_in_pieces() -> None:
    ask = await world_client()

    first = (await ask("GET", "/prices?limit=1")).json
    second = (await ask("GET", f"/prices?limit=1&after={first['next']}")).json

    assert [price["instance"] for page in (first, second) for price in page["data"]] == ["a-priced", "b-unpriced"]
    assert second["next"] is None


async def test_override_is_set_from_now_or_from_then_listed_and_removed() -> None:
    world = await World().settle_in()
    ask = world.client()

    now = await ask("POST", "/prices/overrides", OVERRIDE)
    then = await ask(
        "POST",
        "/prices/overrides",
        {**OVERRIDE, "cached_input_cost_per_token": "0.000000000000001", "effective_at": "2027-01-01T00:00:00Z"},
    )

    assert (now.status, then.status) == (201, 201)
    assert now.json == {
        **OVERRIDE,
        "id": f"openai/org/gpt-4o@{NOW_US}",
        "cached_input_cost_per_token": None,
        "cost_per_unit": "0",
        "effective_at": NOW,
    }
    assert then.json["cached_input_cost_per_token"] == "0.000000000000001"
    assert (await ask("GET", "/prices/overrides?provider=openai&model=org/gpt-4o")).json["data"] == [
        now.json,
        then.json,
    ]
    assert (await ask("GET", "/prices/overrides?provider=azure")).json["data"] == []
    assert (await ask("DELETE", f"/prices/overrides/{now.json['id']}")).status == 204
    assert (await ask("GET", "/prices/overrides")).json["data"] == [then.json]
    assert (await ask("DELETE", f"/prices/overrides/{now.json['id']}")).error == (404, "not_found", None)
    assert [entry.target for entry in world.tenants.log] == ["price:openai/org/gpt-4o"] * 3


@pytest.mark.parametrize("tokens", [{}, {"input_cost_per_token": "0.000001", "output_cost_per_token": "0.000002"}])
async def test_override_has_a_price_of_units_alone_or_beside_that_of_tokens(tokens: dict[str, str]) -> None:
    world = await World().settle_in()
    ask = world.client()

    made = await ask(
        "POST", "/prices/overrides", {"provider": "openai", "model": "w", "cost_per_unit": "0.0001", **tokens}
    )

    no_tokens = {"input_cost_per_token": "0", "output_cost_per_token": "0"}
    assert made.status == 201
    assert {**no_tokens, **tokens, "cost_per_unit": "0.0001"}.items() <= made.json.items()
    (stored,) = (await world.store.page(PriceOverride, 10)).items
    assert stored.prices.unit == 100_000_000_000


async def test_override_from_one_moment_can_not_be_set_twice() -> None:
    ask = await world_client()
    await ask("POST", "/prices/overrides", OVERRIDE)

    assert (await ask("POST", "/prices/overrides", OVERRIDE)).error == (409, "already_exists", "effective_at")


@pytest.mark.parametrize(
    ("different", "param"),
    [
        ({"provider": ""}, "provider"),
        ({"provider": "a/b"}, "provider"),
        ({"model": "\u0000"}, "model"),
        ({"input_cost_per_token": 1}, "input_cost_per_token"),
        ({"input_cost_per_token": "-1"}, "input_cost_per_token"),
        ({"input_cost_per_token": "1e-6"}, "input_cost_per_token"),
        ({"input_cost_per_token": "1.1"}, "input_cost_per_token"),
        ({"output_cost_per_token": "0.0000000000000001"}, "output_cost_per_token"),
        ({"output_cost_per_token": None}, "output_cost_per_token"),
        ({"output_cost_per_token": None, "cost_per_unit": "0.0001"}, "output_cost_per_token"),
        ({"input_cost_per_token": None, "output_cost_per_token": None}, "input_cost_per_token"),
        ({"cost_per_unit": "1.1"}, "cost_per_unit"),
        ({"cached_input_cost_per_token": "NaN"}, "cached_input_cost_per_token"),
        ({"effective_at": "now"}, "effective_at"),
        ({"cost": "1"}, "cost"),
    ],
)
async def test_price_that_can_not_be_is_refused_by_the_name_of_the_field(different: dict[str, Any], param: str) -> None:
    refused = await (await world_client())("POST", "/prices/overrides", {**OVERRIDE, **different})

    assert refused.error == (400, "invalid_request", param)
