"""Models and routes, as operators see them."""

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.inbound.http.admin.route import AnyRoute, Asked, Method, Route
from adapters.inbound.http.admin.schema import Listing, NoFields, Schema
from adapters.inbound.http.admin.tenant_schemas import LimitsOut
from adapters.inbound.http.admin.wire import PriceOut
from application.use_cases.admin.catalog import ModelStatus, ReadCatalog
from application.use_cases.list_instances import InstanceStatus
from domain.catalog import WEIGHT_SCALE
from domain.catalog import Route as ModelRoute
from domain.chat import Endpoint
from domain.price_book import Priced, PriceLayer, Unpriced
from domain.principal import Permission
from domain.resilience.circuit_breaker import CircuitState
from domain.routing.strategy import StrategyName

_Plain = Asked[NoFields, NoFields]


class ModelPrice(Schema):
    """What it costs per token and per unit of other work at present, and who says so."""

    source: PriceLayer
    input_cost_per_token: PriceOut
    output_cost_per_token: PriceOut
    cached_input_cost_per_token: PriceOut | None
    cost_per_unit: PriceOut


class ModelInstance(Schema):
    """An instance that serves the model. `price` is null where nobody has one."""

    id: str
    provider: str
    model: str
    enabled: bool
    circuit: CircuitState
    drained: bool
    health_score: int
    priority: int
    weight: float
    capabilities: Sequence[Endpoint]
    tags: Sequence[str]
    limits: LimitsOut
    context_window: int | None
    max_output_tokens: int | None
    routing_group: str
    price: ModelPrice | None


class ModelChecks(Schema):
    """What the last health checks of the enabled instances say. The latency is that of the healthy ones."""

    healthy: int
    unhealthy: int
    unknown: int
    average_latency_ms: float | None


class CatalogModel(Schema):
    """A model. `healthy` counts the instances that are enabled, not drained, and whose circuit is closed."""

    name: str
    aliases: Sequence[str]
    fallbacks: Sequence[str]
    strategy: StrategyName
    healthy: int
    average_latency_ms: float | None
    checks: ModelChecks
    instances: Sequence[ModelInstance]


class CatalogModelList(Listing[CatalogModel]):
    """All models of the configuration, on one page."""


class RouteMember(Schema):
    """A model of a route, and what it counts there."""

    model_name: str
    weight: float
    priority: int


class RouteShown(Schema):
    """A named group of models. Clients ask for its slug."""

    slug: str
    name: str
    strategy: StrategyName
    enabled: bool
    models: Sequence[RouteMember]
    fallback_models: Sequence[str]


class RouteList(Listing[RouteShown]):
    """All routes of the configuration, on one page."""


@dataclass(frozen=True, slots=True)
class _Handlers:
    catalog: ReadCatalog

    async def models(self, _asked: _Plain) -> CatalogModelList:
        strategy = self.catalog.strategy
        return CatalogModelList(data=[_model(status, strategy) for status in await self.catalog.models()], next=None)

    async def routes(self, _asked: _Plain) -> RouteList:
        return RouteList(data=[_route(route) for route in self.catalog.routes()], next=None)


def model_routes(catalog: ReadCatalog) -> tuple[AnyRoute, ...]:
    """`GET /models` and `GET /routes`."""
    handlers = _Handlers(catalog)
    return (
        Route(
            method=Method.GET,
            path="/models",
            permission=Permission.SEE_GATEWAY,
            summary="All models, their instances and how they do",
            handler=handlers.models,
            response=CatalogModelList,
        ),
        Route(
            method=Method.GET,
            path="/routes",
            permission=Permission.SEE_GATEWAY,
            summary="All routes",
            handler=handlers.routes,
            response=RouteList,
        ),
    )


def _model(status: ModelStatus, strategy: StrategyName) -> CatalogModel:
    latency_us = status.average_latency_us
    pairs = zip(status.instances, status.prices, strict=True)
    return CatalogModel(
        name=status.name,
        aliases=status.aliases,
        fallbacks=status.fallbacks,
        strategy=strategy,
        healthy=status.healthy,
        average_latency_ms=None if latency_us is None else latency_us / 1_000,
        checks=_checks(status),
        instances=[_instance(one, price) for one, price in pairs],
    )


def _checks(status: ModelStatus) -> ModelChecks:
    found, latency_us = status.checks, status.checks.average_latency_us
    return ModelChecks(
        healthy=found.healthy,
        unhealthy=found.total - found.healthy,
        unknown=status.unchecked,
        average_latency_ms=None if latency_us is None else latency_us / 1_000,
    )


def _instance(status: InstanceStatus, price: Priced | Unpriced) -> ModelInstance:
    instance, limits = status.instance, status.instance.limits
    return ModelInstance(
        id=instance.id,
        provider=instance.provider,
        model=instance.upstream_model,
        enabled=instance.enabled,
        circuit=status.report.circuit.state,
        drained=status.report.drained,
        health_score=status.health_score,
        priority=instance.priority,
        weight=instance.weight_milli / WEIGHT_SCALE,
        capabilities=sorted(instance.supports),
        tags=sorted(instance.tags),
        limits=LimitsOut(
            rpm=limits.requests_per_minute, tpm=limits.tokens_per_minute, max_parallel=limits.max_parallel
        ),
        context_window=instance.context_window,
        max_output_tokens=instance.max_output_tokens,
        routing_group=instance.routing_group,
        price=_price(price),
    )


def _price(price: Priced | Unpriced) -> ModelPrice | None:
    match price:
        case Priced(prices, layer):
            return ModelPrice(
                source=layer,
                input_cost_per_token=prices.input,
                output_cost_per_token=prices.output,
                cached_input_cost_per_token=prices.cached_input,
                cost_per_unit=prices.unit,
            )
        case Unpriced():
            return None


def _route(route: ModelRoute) -> RouteShown:
    return RouteShown(
        slug=route.slug,
        name=route.name,
        strategy=route.strategy,
        enabled=route.enabled,
        models=[
            RouteMember(model_name=one.model_name, weight=one.weight_milli / WEIGHT_SCALE, priority=one.priority)
            for one in route.models
        ],
        fallback_models=route.fallback_models,
    )
