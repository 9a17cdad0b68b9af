"""Models, routes, circuits, latencies, status and configuration, as operators see them."""

from dataclasses import replace
from typing import Any

import pytest

from application.errors import StateUnavailable
from application.use_cases.admin.status import Status, UsageFlow
from domain.catalog import Catalog, InstanceLimits, Route, RouteModel
from domain.chat import Endpoint
from domain.health_report import HealthReport
from domain.identifiers import ModelName, RouteSlug
from domain.latency import LatencyKind, Percentiles
from domain.price_book import Priced, PriceLayer
from domain.pricing import Prices
from domain.resilience.circuit_breaker import CircuitState
from domain.routing.instance_report import CircuitReport, InstanceReport
from domain.routing.strategy import StrategyName
from domain.usage_stream import UsageDepth
from tests.integration.http.stubs import BEARER, INSTANCE, StubGateway, http_app

FULL = replace(
    INSTANCE,
    priority=3,
    weight_milli=2_500,
    limits=InstanceLimits(60, None, 5),
    context_window=128_000,
    max_output_tokens=4_096,
    tags=frozenset({"eu", "big"}),
    supports=frozenset({Endpoint.EMBEDDINGS, Endpoint.CHAT}),
)
SLOW = {
    LatencyKind.WHOLE: Percentiles(100_000, 5_250_000, 9_000_500, 10),
    LatencyKind.FIRST_CONTENT: Percentiles(1_500, 2_000, 3_000, 2),
}
OPEN = CircuitReport(CircuitState.OPEN, 1_700_000_000_000_000, 1_700_000_005_000_000, "failure_rate")
GPT4, GPT3 = ModelName("gpt-4"), ModelName("gpt-3")


async def shown(gateway: StubGateway, path: str) -> Any:
    answer = await http_app(gateway).test_client().get(f"/admin/v1/{path}", headers=BEARER)
    assert answer.status_code == 200
    return await answer.get_json()


def catalog() -> Catalog:
    return Catalog(
        {GPT4: (FULL,), GPT3: ()},
        aliases={"best": GPT4, "cheap": GPT3},
        routes={
            RouteSlug("smart"): Route(
                RouteSlug("smart"),
                "Smart",
                StrategyName.LEAST_LATENCY,
                (RouteModel(GPT4, 500, 2),),
                (GPT3,),
                enabled=False,
            )
        },
        fallbacks={GPT4: (GPT3,)},
    )


NO_CHECKS = {"healthy": 0, "unhealthy": 0, "unknown": 0, "average_latency_ms": None}
WELL = HealthReport(1, reachable=True, latency_us=20_000, status=200)


async def test_models_are_shown_with_names_instances_and_prices() -> None:
    price = Priced(Prices(2_500_000_000, 10_000_000_000), PriceLayer.API)
    gateway = StubGateway(
        catalog=catalog(), instance=FULL, price=price, report=InstanceReport(latency=SLOW), check=WELL
    )

    first, second = (await shown(gateway, "models"))["data"]

    assert first == {
        "name": "gpt-4",
        "aliases": ["best"],
        "fallbacks": ["gpt-3"],
        "strategy": "priority",
        "healthy": 1,
        "average_latency_ms": 100.0,
        "checks": {"healthy": 1, "unhealthy": 0, "unknown": 0, "average_latency_ms": 20.0},
        "instances": [
            {
                "id": "gpt4-eu",
                "provider": "openai",
                "model": "gpt-4o",
                "enabled": True,
                "circuit": "closed",
                "drained": False,
                "health_score": 50,
                "priority": 3,
                "weight": 2.5,
                "capabilities": ["chat", "embeddings"],
                "tags": ["big", "eu"],
                "limits": {"rpm": 60, "tpm": None, "max_parallel": 5},
                "context_window": 128_000,
                "max_output_tokens": 4_096,
                "routing_group": "main",
                "price": {
                    "source": "api",
                    "input_cost_per_token": "0.0000025",
                    "output_cost_per_token": "0.00001",
                    "cached_input_cost_per_token": None,
                    "cost_per_unit": "0",
                },
            }
        ],
    }
    assert (second["name"], second["aliases"], second["healthy"], second["instances"]) == ("gpt-3", ["cheap"], 0, [])
    assert second["average_latency_ms"] is None
    assert second["checks"] == NO_CHECKS


@pytest.mark.parametrize(
    ("instance", "check", "counted"),
    [
        (FULL, None, {"unknown": 1}),
        (FULL, replace(WELL, reachable=False), {"unhealthy": 1}),
        (replace(FULL, enabled=False), WELL, {}),
        (replace(FULL, enabled=False), None, {}),
    ],
)
async def test_enabled_instances_are_counted_by_their_last_check(
    instance: Any, check: HealthReport | None, counted: dict[str, int]
) -> None:
    gateway = StubGateway(catalog=catalog(), instance=instance, check=check)

    (model, _) = (await shown(gateway, "models"))["data"]

    assert model["checks"] == NO_CHECKS | counted


@pytest.mark.parametrize(
    ("instance", "report"),
    [
        (FULL, InstanceReport(circuit=OPEN)),
        (FULL, InstanceReport(circuit=replace(OPEN, state=CircuitState.HALF_OPEN))),
        (FULL, InstanceReport(drained=True)),
        (replace(FULL, enabled=False), InstanceReport()),
    ],
)
async def test_instance_that_can_not_serve_is_not_counted_as_healthy(instance: Any, report: InstanceReport) -> None:
    (first, _) = (await shown(StubGateway(catalog=catalog(), instance=instance, report=report), "models"))["data"]

    assert first["healthy"] == 0
    assert first["instances"][0]["price"] is None


async def test_routes_are_shown_disabled_ones_too() -> None:
    assert await shown(StubGateway(catalog=catalog()), "routes") == {
        "data": [
            {
                "slug": "smart",
                "name": "Smart",
                "strategy": "least-latency",
                "enabled": False,
                "models": [{"model_name": "gpt-4", "weight": 0.5, "priority": 2}],
                "fallback_models": ["gpt-3"],
            }
        ],
        "next": None,
    }


async def test_circuits_are_shown_and_can_be_filtered_by_state() -> None:
    gateway = StubGateway(report=InstanceReport(circuit=OPEN))

    whole = await shown(gateway, "circuits")

    assert whole == {
        "data": [
            {
                "instance": "gpt4-eu",
                "model_name": "gpt-4",
                "provider": "openai",
                "state": "open",
                "opened_at": "2023-11-14T22:13:20.000Z",
                "next_probe_at": "2023-11-14T22:13:25.000Z",
                "reason": "failure_rate",
                "forced": False,
            }
        ],
        "next": None,
    }
    assert await shown(gateway, "circuits?state=open") == whole
    assert await shown(gateway, "circuits?state=closed") == {"data": [], "next": None}


async def test_latencies_of_both_kinds_are_never_mixed() -> None:
    (full,) = (await shown(StubGateway(report=InstanceReport(latency=SLOW, in_flight=2)), "latency"))["data"]
    (idle,) = (await shown(StubGateway(), "latency"))["data"]

    assert full == {
        "instance": "gpt4-eu",
        "model_name": "gpt-4",
        "provider": "openai",
        "health_score": 50,
        "in_flight": 2,
        "whole": {"p50_ms": 100.0, "p95_ms": 5250.0, "p99_ms": 9000.5, "count": 10},
        "first_content": {"p50_ms": 1.5, "p95_ms": 2.0, "p99_ms": 3.0, "count": 2},
    }
    assert (idle["whole"], idle["first_content"], idle["health_score"]) == (None, None, 100)


@pytest.mark.parametrize("path", ["models", "circuits", "latency"])
async def test_views_of_a_state_that_is_away_are_503(path: str) -> None:
    app = http_app(StubGateway(error=StateUnavailable("redis is away")))

    answer = await app.test_client().get(f"/admin/v1/{path}", headers=BEARER)

    assert (answer.status_code, (await answer.get_json())["error"]["code"]) == (503, "state_unavailable")


async def test_status_tells_of_the_process_and_of_what_is_shared() -> None:
    standing = Status(1_500_000, {"redis": "ok"}, 3, UsageFlow(1, 2, 4, UsageDepth(5, 6, 7)), 8, "0001")

    assert await shown(StubGateway(standing=standing), "status") == {
        "mode": "lite",
        "reason": "no store is configured",
        "version": "1.2.3",
        "uptime_s": 1.5,
        "stores": {"redis": "ok"},
        "gateways": 3,
        "usage": {
            "unwritten": 1,
            "lost": 2,
            "on_the_way": 4,
            "stream": {"waiting": 5, "pending": 6, "dead": 7},
        },
        "spends_remembered": 8,
        "schema_revision": "0001",
        "last_reload": None,
    }


async def test_status_says_null_for_what_is_away() -> None:
    told = await shown(StubGateway(), "status")

    assert (told["gateways"], told["usage"]["stream"], told["schema_revision"]) == (None, None, None)


async def test_configuration_is_what_the_composition_root_shows() -> None:
    config = {"auth": {"master_key": "***"}}

    assert await shown(StubGateway(config=config), "config") == config
