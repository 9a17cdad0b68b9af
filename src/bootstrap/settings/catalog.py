"""From settings to the catalog that requests are routed by."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bootstrap.configuration_error import nearest, spell_path
from bootstrap.settings.instance_ids import instance_ids, made_by
from bootstrap.settings.models import ModelSettings, RouteSettings
from bootstrap.settings.providers import AnyProviderSettings
from bootstrap.settings.references import Graph, fallback_graph, follow
from bootstrap.settings.root import Settings
from domain.catalog import WEIGHT_SCALE, Catalog, Instance, Route, RouteModel, RouterPolicy
from domain.chat import Endpoint
from domain.identifiers import InstanceId, ModelName, RouteSlug
from domain.routing.strategies import parse_strategy

if TYPE_CHECKING:  # the commands that only read a configuration do without the adapters' libraries
    from adapters.outbound.providers.capabilities import Capabilities

TypesCapabilities = Mapping[str, "Capabilities"]
"""What a provider type can do; for a type that is not named, all endpoints that are not forwarded."""


@dataclass(frozen=True, slots=True)
class CatalogResult:
    """What the settings come to. `providers` has the instances that can be called, and no others."""

    catalog: Catalog
    policy: RouterPolicy
    providers: Mapping[InstanceId, AnyProviderSettings]
    warnings: tuple[str, ...]


def to_catalog(
    settings: Settings, built_types: Collection[str], capabilities: TypesCapabilities | None = None
) -> CatalogResult:
    """The catalog, without what can't work: each omission is a warning that says why.

    An instance whose provider type is not among `built_types`, or that lacks what its provider needs, is disabled. A
    reference to a model that isn't defined is left out.
    """
    warnings = list(_old_names(settings))
    instances: dict[ModelName, list[Instance]] = {}
    providers: dict[InstanceId, AnyProviderSettings] = {}
    for entry, instance_id in zip(settings.models, instance_ids(settings.models), strict=True):
        obstacle = _obstacle(entry, built_types)
        if obstacle and entry.enabled:
            warnings.append(f"instance {instance_id!r} of {entry.model_name!r} is disabled: {obstacle}")
        instance = _instance(entry, instance_id, capabilities or {}, enabled=entry.enabled and obstacle is None)
        instances.setdefault(instance.model_name, []).append(instance)
        if instance.enabled:
            providers[instance_id] = entry.provider.with_capabilities(entry.capabilities)
    catalog = _joined({name: tuple(members) for name, members in instances.items()}, settings, warnings)
    policy = replace(settings.router.to_domain(), default_output_tokens=settings.budgets.default_output_tokens)
    return CatalogResult(catalog, policy, providers, tuple(warnings))


def _joined(instances: Mapping[ModelName, tuple[Instance, ...]], settings: Settings, warnings: list[str]) -> Catalog:
    references = _References(frozenset(instances), settings.model_aliases, warnings)
    router = settings.router
    return Catalog(
        instances=instances,
        aliases=references.aliases(),
        routes={RouteSlug(route.slug): references.route(route) for route in settings.routes},
        fallbacks=references.graph(router.model_fallbacks, "model_fallbacks"),
        context_window_fallbacks=references.graph(router.context_window_fallbacks, "context_window_fallbacks"),
    )


def _obstacle(entry: ModelSettings, built_types: Collection[str]) -> str | None:
    if entry.provider.type not in built_types:
        return f"this version has no adapter for the provider type {entry.provider.type!r}"
    lacking = entry.provider.lacks()
    return f"its provider of type {entry.provider.type!r} needs {lacking!r}" if lacking else None


def _instance(
    entry: ModelSettings, instance_id: InstanceId, capabilities: TypesCapabilities, *, enabled: bool
) -> Instance:
    known = capabilities.get(entry.provider.type)
    return Instance(
        id=instance_id,
        model_name=ModelName(entry.model_name),
        provider=entry.provider.type,
        upstream_model=entry.provider.upstream_model(entry.model_name),
        priority=entry.priority,
        weight_milli=weight_milli(entry.weight),
        timeout_us=entry.timeout_us,
        limits=entry.limits,
        own_prices=entry.own_prices,
        context_window=entry.context_window,
        max_output_tokens=entry.max_output_tokens,
        tags=frozenset(entry.tags),
        supports=_supports(entry, known),
        parameters=frozenset() if known is None else known.parameters,
        routing_group=entry.routing_group,
        enabled=enabled,
        made_by=made_by(entry),
    )


def _supports(entry: ModelSettings, known: "Capabilities | None") -> frozenset[Endpoint]:
    """What is forwarded as it is, nobody can translate: a `custom` server has of that what its entry says it has."""
    if known is None:
        return frozenset(one for one in Endpoint if not one.is_forwarded)
    if entry.provider.type != "custom":
        return known.supports
    return frozenset(one for one in known.supports if not one.is_forwarded or one.value in entry.capabilities)


def weight_milli(weight: float) -> int:
    """Thousandths, as the domain has weights."""
    return round(weight * WEIGHT_SCALE)


def _old_names(settings: Settings) -> Iterator[str]:
    written = [("router.routing_strategy", settings.router.routing_strategy)]
    written += [(f"route {route.slug!r}", route.strategy) for route in settings.routes]
    for where, text in written:
        _, warning = parse_strategy(text)
        if warning:
            yield f"{where}: {warning}"


@dataclass(frozen=True, slots=True)
class _References:
    """Resolves names to models that exist; warns about those that don't."""

    models: frozenset[ModelName]
    configured_aliases: Mapping[str, str]
    warnings: list[str]

    def aliases(self) -> dict[str, ModelName]:
        found = {alias: self.model(alias, ("model_aliases", alias)) for alias in self.configured_aliases}
        return {alias: model for alias, model in found.items() if model is not None}

    def route(self, settings: RouteSettings) -> Route:
        where = f"route {settings.slug!r}"
        members = [
            RouteModel(model, weight_milli(member.weight), member.priority)
            for member in settings.models
            if (model := self.model(member.model_name, where)) is not None
        ]
        fallbacks = [self.model(name, where) for name in settings.fallback_models]
        if not members and settings.enabled:
            self.warnings.append(f"{where} is disabled: none of its models is defined")
        return Route(
            slug=RouteSlug(settings.slug),
            name=settings.name or settings.slug,
            strategy=parse_strategy(settings.strategy)[0],
            models=tuple(members),
            fallback_models=tuple(dict.fromkeys(model for model in fallbacks if model is not None)),
            enabled=settings.enabled and bool(members),
        )

    def graph(self, table: Mapping[str, tuple[str, ...]], key: str) -> Graph:
        for name, targets in table.items():
            for reference in (name, *targets):
                self.model(reference, ("router", key, name))
        return {
            model: known
            for model, targets in fallback_graph(table, self.configured_aliases).items()
            if model in self.models and (known := tuple(target for target in targets if target in self.models))
        }

    def model(self, name: str, where: str | tuple[str, ...]) -> ModelName | None:
        model = follow(name, self.configured_aliases)
        if model in self.models:
            return model
        place = where if isinstance(where, str) else spell_path(where)
        suggestion = nearest(model, self.models)
        hint = f"; did you mean {suggestion!r}?" if suggestion else ""
        self.warnings.append(f"{place}: {model!r} is not the name of a model, left out{hint}")
        return None
