"""Models, their instances, aliases, routes and fallbacks: what can be asked for, and what serves it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from hashlib import sha256

from domain.chat import Endpoint
from domain.durations import SECOND_US
from domain.identifiers import InstanceId, ModelName, RouteSlug
from domain.pricing import Prices
from domain.resilience.circuit_breaker_config import CircuitBreakerConfig
from domain.routing.strategy import StrategyName

WEIGHT_SCALE = 1_000
_FREE = Prices()


class CatalogError(ValueError):
    """The catalog contradicts itself; the message names the entries."""


@dataclass(frozen=True, slots=True)
class InstanceLimits:
    """What an instance may carry. None: no limit."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    max_parallel: int | None = None


@dataclass(frozen=True, slots=True)
class Instance:
    """One deployment that can serve a model.

    Attributes:
        provider: The provider's type, as in the configuration (`openai`, `azure`, …).
        upstream_model: The name that the provider knows the model by.
        priority: Higher is preferred.
        weight_milli: Weight in thousandths; 0 is never picked by a weighted strategy.
        timeout_us: One attempt; None where the router's default applies.
        own_prices: None where it sets none, so that a price list says what it costs.
        supports: Endpoints that its provider has (natively or by translation).
        parameters: OpenAI's documented fields of a chat request that its provider honours.
        routing_group: The Redis slot its shared state lives in.
        made_by: Another one where its replies come from elsewhere, or are asked for in another way.
    """

    id: InstanceId
    model_name: ModelName
    provider: str
    upstream_model: str
    priority: int = 0
    weight_milli: int = WEIGHT_SCALE
    timeout_us: int | None = None
    limits: InstanceLimits = field(default=InstanceLimits())
    own_prices: Prices | None = None
    context_window: int | None = None
    max_output_tokens: int | None = None
    tags: frozenset[str] = frozenset()
    supports: frozenset[Endpoint] = frozenset(Endpoint)
    parameters: frozenset[str] = frozenset()
    routing_group: str = "main"
    enabled: bool = True
    made_by: str = ""

    @property
    def prices(self) -> Prices:
        """Its own prices; 0 where it sets none."""
        return _FREE if self.own_prices is None else self.own_prices


@dataclass(frozen=True, slots=True)
class RouteModel:
    """A model as a member of a route, with the weight and priority it has there."""

    model_name: ModelName
    weight_milli: int = WEIGHT_SCALE
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Route:
    """A named group of models; its slug is used as the model name."""

    slug: RouteSlug
    name: str
    strategy: StrategyName
    models: tuple[RouteModel, ...]
    fallback_models: tuple[ModelName, ...] = ()
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a requested name stands for: a route, or one model. Exactly one of both is set."""

    route: Route | None = None
    model: ModelName | None = None


@dataclass(frozen=True, slots=True)
class Catalog:
    """One consistent configuration of models. Replaced whole on reload, never changed.

    Raises:
        CatalogError: Two instances share an id; a name is both model, alias or route; an alias, a route or a
            fallback points nowhere; a route holds a model twice; fallbacks form a cycle.
    """

    instances: Mapping[ModelName, tuple[Instance, ...]]
    aliases: Mapping[str, ModelName] = field(default_factory=dict)
    routes: Mapping[RouteSlug, Route] = field(default_factory=dict)
    fallbacks: Mapping[ModelName, tuple[ModelName, ...]] = field(default_factory=dict)
    context_window_fallbacks: Mapping[ModelName, tuple[ModelName, ...]] = field(default_factory=dict)
    _turn_keys: dict[str, str] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._refuse_duplicate_ids()
        self._refuse_ambiguous_names()
        self._refuse_dangling_references()
        self._refuse_repeated_members()
        refuse_cycles(self.fallbacks, "model_fallbacks")
        refuse_cycles(self.context_window_fallbacks, "context_window_fallbacks")
        for name, members in self.instances.items():
            weights = [(str(member.id), member.weight_milli) for member in members]
            self._turn_keys[f"model:{name}"] = turn_key(f"model:{name}", weights)
        for slug, route in self.routes.items():
            weights = [(str(member.model_name), member.weight_milli) for member in route.models]
            self._turn_keys[f"route:{slug}"] = turn_key(f"route:{slug}", weights)

    def model_turn_key(self, model: ModelName) -> str:
        """Names the round-robin state of a model's instances."""
        return self._turn_keys[f"model:{model}"]

    def route_turn_key(self, slug: RouteSlug) -> str:
        """Names the round-robin state of a route's models."""
        return self._turn_keys[f"route:{slug}"]

    def turn_keys(self) -> frozenset[str]:
        """The names of all its round-robin states."""
        return frozenset(self._turn_keys.values())

    def resolve(self, name: str) -> Resolved | None:
        """The route or model behind a requested name; None where there is none or the route is disabled."""
        route = self.routes.get(RouteSlug(name))
        if route is not None:
            return Resolved(route=route) if route.enabled else None
        model = self.aliases.get(name, ModelName(name))
        return Resolved(model=model) if model in self.instances else None

    def all_instances(self) -> Iterable[Instance]:
        """Every instance of every model, in the order of the configuration."""
        return (instance for members in self.instances.values() for instance in members)

    def _refuse_duplicate_ids(self) -> None:
        seen: set[InstanceId] = set()
        for instance in self.all_instances():
            if instance.id in seen:
                raise CatalogError(f"two instances have the id {instance.id!r}: give each its own")
            seen.add(instance.id)

    def _refuse_ambiguous_names(self) -> None:
        for name in self.aliases:
            if name in self.instances:
                raise CatalogError(f"{name!r} is both a model and an alias")
        for slug in self.routes:
            if ModelName(slug) in self.instances or slug in self.aliases:
                raise CatalogError(f"{slug!r} is both a route and a model or alias")

    def _refuse_repeated_members(self) -> None:
        for route in self.routes.values():
            for member, count in Counter(member.model_name for member in route.models).items():
                if count > 1:
                    raise CatalogError(f"route {route.slug!r} holds the model {member!r} twice: add up its weights")

    def _refuse_dangling_references(self) -> None:
        references = [(f"alias {alias!r}", model) for alias, model in self.aliases.items()]
        references += [
            (f"route {route.slug!r}", model)
            for route in self.routes.values()
            for model in (*(member.model_name for member in route.models), *route.fallback_models)
        ]
        references += [
            (f"{kind} of {model!r}", target)
            for kind, table in (
                ("fallback", self.fallbacks),
                ("context-window fallback", self.context_window_fallbacks),
            )
            for model, targets in table.items()
            for target in (model, *targets)
        ]
        for source, model in references:
            if model not in self.instances:
                raise CatalogError(f"{source} refers to {model!r}, which is not a model")


def turn_key(name: str, weights: Sequence[tuple[str, int]]) -> str:
    """A round-robin state's name: changes with its members and weights, so that new ones start without old credit."""
    return f"{name}:{sha256(repr(weights).encode()).hexdigest()[:12]}"


def refuse_cycles(graph: Mapping[ModelName, tuple[ModelName, ...]], what: str) -> None:
    """Raises CatalogError, naming the cycle, where following `graph` can come back to a model."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        backwards: list[ModelName] = error.args[1]
        cycle = backwards[:0:-1]
        first = next(cycle.index(model) for model in graph if model in cycle)
        named = " > ".join((*cycle[first:], *cycle[:first], cycle[first]))
        raise CatalogError(f"{what} form a cycle: {named}") from None


@dataclass(frozen=True, slots=True)
class RouterPolicy:
    """How requests are routed, tried again and timed. Spans in microseconds.

    Attributes:
        instance_retry_attempts: Tries after the first, inside one model.
        failover_timeout_multiple: Attempt n gets `timeout * multiple**(n-1)`.
        first_byte_timeout_us: For streams, from sending to the first byte of the body.
        default_output_tokens: What a request is expected to get that sets no maximum.
    """

    strategy: StrategyName = StrategyName.PRIORITY
    enable_failover: bool = True
    instance_retry_attempts: int = 2
    failover_timeout_multiple: float = 1.5
    enable_model_fallback: bool = True
    default_timeout_us: int = 300 * SECOND_US
    first_byte_timeout_us: int = 60 * SECOND_US
    idle_timeout_us: int = 60 * SECOND_US
    connect_timeout_us: int = 3 * SECOND_US
    max_deadline_us: int = 600 * SECOND_US
    drop_params: bool = False
    breaker: CircuitBreakerConfig = field(default=CircuitBreakerConfig())
    default_output_tokens: int = 150
