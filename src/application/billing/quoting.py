from application.billing.estimate import Estimate, Terms, estimate, maximum_to_send, unpriced_nano
from application.gateway_request import GatewayRequest
from application.ports.price_source import PriceSource
from domain.budget.charge import LARGEST_NANO
from domain.callers import Caller
from domain.catalog import Catalog, Instance, Resolved, RouterPolicy
from domain.chat import Usage
from domain.identifiers import ModelName
from domain.price_book import Priced, Unpriced


class Quoting:
    """Says what a request may cost, whichever way it goes."""

    def __init__(self, prices: PriceSource, terms: Terms) -> None:
        self._prices = prices
        self.terms = terms
        self._catalog: Catalog | None = None
        self._reach: dict[tuple[str | None, str | None, bool], tuple[Instance, ...]] = {}

    def price_of(self, instance: Instance) -> Priced | Unpriced:
        """What it costs now."""
        return self._prices.price_of(instance)

    def amount_nano(self, request: GatewayRequest, catalog: Catalog, policy: RouterPolicy, first: Resolved) -> int:
        """What one attempt reserves: the dearest of all instances that the request may come to, fallbacks included.

        One amount for all attempts of a request: none of them has to ask for more on its way.
        """
        llm, terms = request.llm, self.terms
        wanted = request.caller.tags | request.tags
        amount_nano = 0
        for instance in self._instances(catalog, policy, first):
            if llm.endpoint not in instance.supports or not wanted <= instance.tags:
                continue
            price = self._prices.price_of(instance)
            one = estimate(llm, instance, price, terms, request.caller, most=terms.upper_bound)
            amount_nano = max(amount_nano, one.cost_nano)
        return amount_nano

    def estimate(self, request: GatewayRequest, instance: Instance, price: Priced | Unpriced) -> Estimate:
        """What an attempt at `instance` comes to if nobody ever hears of its end: most where money is reserved."""
        most = bool(request.caller.budgets) and self.terms.upper_bound
        return estimate(request.llm, instance, price, self.terms, request.caller, most=most)

    def cost_nano(self, caller: Caller, price: Priced | Unpriced, usage: Usage) -> int:
        """What `usage` costs. Under a hard budget nothing is free for want of a price."""
        if isinstance(price, Priced):
            return min(price.prices.cost_nano(usage), LARGEST_NANO)
        return unpriced_nano(self.terms, caller)

    def is_bounded(self, caller: Caller) -> bool:
        """Whether its attempts never go out without a maximum: what they are estimated at can't be exceeded."""
        return self.terms.upper_bound and caller.has_hard_budget

    def maximum_to_send(self, request: GatewayRequest, instance: Instance) -> int | None:
        """The maximum of output tokens to send along, where a hard budget counts on it."""
        if not self.is_bounded(request.caller):
            return None
        return maximum_to_send(request.llm, instance, self.terms)

    def _instances(self, catalog: Catalog, policy: RouterPolicy, first: Resolved) -> tuple[Instance, ...]:
        if catalog is not self._catalog:
            self._catalog, self._reach = catalog, {}
        falls_back = policy.enable_failover and policy.enable_model_fallback
        key = (first.route.slug if first.route else None, first.model, falls_back)
        found = self._reach.get(key)
        if found is None:
            models = _models_within_reach(catalog, first, falls_back=falls_back)
            found = tuple(one for model in models for one in catalog.instances.get(model, ()) if one.enabled)
            self._reach[key] = found
        return found


def _models_within_reach(catalog: Catalog, first: Resolved, *, falls_back: bool) -> set[ModelName]:
    waiting: list[ModelName] = []
    if first.route is not None:
        waiting += (member.model_name for member in first.route.models)
        if falls_back:
            waiting += first.route.fallback_models
    elif first.model is not None:
        waiting.append(first.model)
    reached: set[ModelName] = set()
    while waiting:
        model = waiting.pop()
        if model not in reached:
            reached.add(model)
            if falls_back:
                waiting += catalog.fallbacks.get(model, ())
                waiting += catalog.context_window_fallbacks.get(model, ())
    return reached
