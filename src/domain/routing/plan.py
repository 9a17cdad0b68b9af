"""From candidates to the tree that admission walks: the strategy's order, then the last resorts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from domain.catalog import Catalog, Instance, Route, RouteModel
from domain.chat import Usage
from domain.failure import Cooldown
from domain.identifiers import ModelName
from domain.pricing import Prices
from domain.resilience.circuit_breaker import CircuitBreakerConfig, CircuitState, max_open
from domain.routing.instance_state import InstanceView
from domain.routing.strategies import arrange_by
from domain.routing.strategy import Draw, Leaf, Node, Option, Ordered, StrategyName

ViewOf = Callable[[Instance], InstanceView]
PricesOf = Callable[[Instance], Prices]


def own_prices(instance: Instance) -> Prices:
    """What it says of itself, where nobody else is asked."""
    return instance.prices


@dataclass(frozen=True, slots=True)
class Planner:
    """Arranges candidates for one attempt.

    Attributes:
        expected: Tokens this request is expected to use; prices are compared for it.
        view_of: The local picture of an instance.
        draw: Chance, for the strategies that need it.
        prices_of: What an instance costs now.
    """

    catalog: Catalog
    strategy: StrategyName
    breaker: CircuitBreakerConfig
    expected: Usage
    view_of: ViewOf
    draw: Draw
    prices_of: PricesOf = own_prices

    def plan_model(self, model: ModelName, candidates: Sequence[Instance]) -> Node:
        """The instances of one model by the router's strategy."""
        views = {instance.id: self.view_of(instance) for instance in candidates}
        ranks = self._rank(model, [(instance, views[instance.id]) for instance in candidates])
        return _with_last_resorts(self._arrange_model(model, ranks.regular), ranks.last_resorts)

    def plan_route(self, route: Route, candidates: Sequence[tuple[RouteModel, Sequence[Instance]]]) -> Node:
        """The models of a route by its strategy, each with its instances by the router's."""
        options: list[Option] = []
        last_resorts: list[tuple[Instance, InstanceView]] = []
        for member, instances in candidates:
            ranks = self._rank(member.model_name, [(instance, self.view_of(instance)) for instance in instances])
            last_resorts += ranks.last_resorts
            if ranks.regular:
                node = self._arrange_model(member.model_name, ranks.regular)
                options.append(self._model_option(route.strategy, member, node, ranks.regular))
        arranged = arrange_by(route.strategy)(self.catalog.route_turn_key(route.slug), options, self.draw)
        return _with_last_resorts(arranged, last_resorts)

    def _rank(self, model: ModelName, viewed: list[tuple[Instance, InstanceView]]) -> "_Ranks":
        """Sets the last resorts apart.

        Beyond `max_open_fraction` of a model's instances, open circuits are tried after all others; so are instances
        whose credential was refused, since the next request may find it mended.
        """
        beyond_cap = any(_rests(view) for _, view in viewed) and self._beyond_cap(model)
        ranks = _Ranks([], [])
        for instance, view in viewed:
            last = beyond_cap if _rests(view) else view.cooldown is Cooldown.MISCONFIGURED
            (ranks.last_resorts if last else ranks.regular).append((instance, view))
        return ranks

    def _beyond_cap(self, model: ModelName) -> bool:
        """Whether more circuits are open than may be: counted over the whole model, not only over who is left."""
        members = [instance for instance in self.catalog.instances[model] if instance.enabled]
        ejected = sum(self.view_of(instance).circuit is not CircuitState.CLOSED for instance in members)
        return ejected > max_open(self.breaker, len(members))

    def _arrange_model(self, model: ModelName, viewed: list[tuple[Instance, InstanceView]]) -> Node:
        if len(viewed) == 1 and viewed[0][0].weight_milli > 0:
            return Leaf(viewed[0][0])
        options = [self._instance_option(instance, view) for instance, view in viewed]
        return arrange_by(self.strategy)(self.catalog.model_turn_key(model), options, self.draw)

    def _instance_option(self, instance: Instance, view: InstanceView) -> Option:
        return Option(
            name=instance.id,
            node=Leaf(instance),
            priority=instance.priority,
            weight_milli=_slowed(instance.weight_milli, view.weight_factor),
            expected_latency_us=view.latency_us,
            in_flight=view.in_flight,
            cost_nano=self.prices_of(instance).cost_nano(self.expected),
            headroom=_headroom([(instance, view)]),
        )

    def _model_option(
        self, strategy: StrategyName, member: RouteModel, node: Node, viewed: list[tuple[Instance, InstanceView]]
    ) -> Option:
        """A model as a member of a route: latency and cost of its best instance, load and headroom of all."""
        selectable = [pair for pair in viewed if self._selectable(*pair)]
        measured = [view for _, view in selectable if view.latency_us is not None]
        best = min(measured, key=lambda view: (view.latency_us or 0) * (view.in_flight + 1), default=None)
        by_latency = strategy is StrategyName.LEAST_LATENCY
        in_flight = (best.in_flight if best else 0) if by_latency else sum(view.in_flight for _, view in viewed)
        return Option(
            name=member.model_name,
            node=node,
            priority=member.priority,
            weight_milli=member.weight_milli,
            expected_latency_us=best.latency_us if best else None,
            in_flight=in_flight,
            cost_nano=min(self.prices_of(instance).cost_nano(self.expected) for instance, _ in selectable or viewed),
            headroom=_headroom(viewed),
        )

    def _selectable(self, instance: Instance, view: InstanceView) -> bool:
        """Whether admission would take it, as far as the picture tells."""
        limits, tokens = instance.limits, self.expected.input_tokens + self.expected.output_tokens
        return (
            view.circuit is CircuitState.CLOSED
            and view.cooldown is None
            and _fits(limits.requests_per_minute, view.requests_used + 1)
            and _fits(limits.tokens_per_minute, view.tokens_used + tokens)
            and _fits(limits.max_parallel, view.in_flight + 1)
        )


@dataclass(frozen=True, slots=True)
class _Ranks:
    regular: list[tuple[Instance, InstanceView]]
    last_resorts: list[tuple[Instance, InstanceView]]


def _with_last_resorts(arranged: Node, last_resorts: list[tuple[Instance, InstanceView]]) -> Node:
    if not last_resorts:
        return arranged
    soonest_first = sorted(last_resorts, key=lambda pair: pair[1].open_until_us)
    return Ordered((arranged, *(Leaf(instance, last_resort=True) for instance, _ in soonest_first)))


def _rests(view: InstanceView) -> bool:
    """Its circuit is open and not due for a probe."""
    return view.circuit is CircuitState.OPEN and not view.due


def _fits(limit: int | None, amount: int) -> bool:
    return limit is None or amount <= limit


def _slowed(weight_milli: int, factor: float) -> int:
    return weight_milli if factor >= 1 else max(min(1, weight_milli), int(weight_milli * factor))


def _headroom(viewed: list[tuple[Instance, InstanceView]]) -> float:
    """The smaller share left of requests and tokens per minute, over all instances together; 1 without limits."""
    requests = _share_left([(i.limits.requests_per_minute, v.requests_used) for i, v in viewed])
    return min(requests, _share_left([(i.limits.tokens_per_minute, v.tokens_used) for i, v in viewed]))


def _share_left(limits: list[tuple[int | None, int]]) -> float:
    total = 0
    left = 0
    for limit, used in limits:
        if limit is None:
            return 1.0
        total += limit
        left += max(0, limit - used)
    return left / total if total else 0.0
