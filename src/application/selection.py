"""Which instances an attempt may go to, and in which order: from a journey to the plan that admission walks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from application.current_prices import CurrentPrices
from application.journey import Journey, Step
from application.ports.randomness import Randomness
from application.ports.routing import Routing
from domain.catalog import Instance, RouteModel
from domain.chat import LlmRequest, Usage
from domain.identifiers import InstanceId, ModelName
from domain.latency import LatencyKind
from domain.routing.candidates import eligible
from domain.routing.decision import Exclusion, Refusal
from domain.routing.instance_state import InstanceView
from domain.routing.plan import Planner, own_prices
from domain.routing.strategy import Node

Offer = tuple[RouteModel, list[Instance]]
"""A model of a route, with its instances that may be asked."""

Views = dict[InstanceId, InstanceView]


def latency_kind(llm: LlmRequest) -> LatencyKind:
    """Whose clock counts for a request: a stream is as fast as its first content."""
    return LatencyKind.FIRST_CONTENT if llm.stream else LatencyKind.WHOLE


def expected_tokens(llm: LlmRequest, default_output_tokens: int) -> int:
    """Input and output together, as far as the request tells."""
    if not llm.endpoint.writes_text:
        return llm.input_tokens
    output = default_output_tokens if llm.max_output_tokens is None else llm.max_output_tokens
    return llm.input_tokens + output


def _expected_usage(llm: LlmRequest, tokens: int) -> Usage:
    """For comparing costs. `tokens`: input and output of a text together."""
    output = tokens - llm.input_tokens if llm.endpoint.writes_text else llm.work.output_tokens
    return Usage(llm.input_tokens, output, units=llm.work.units)


@dataclass(frozen=True, slots=True)
class Selection:
    """Makes plans from the catalog, the routing state and chance. None: nobody is left to ask."""

    routing: Routing
    randomness: Randomness
    prices: CurrentPrices | None = None

    def plan_step(self, journey: Journey, step: Step, left: Mapping[ModelName, RouteModel]) -> Node | None:
        """For the first attempt at one of the models that are `left` of a step."""
        if step.route is None:
            return self.plan_model(journey, next(iter(left)))
        candidates = [(member, self._candidates(journey, model)) for model, member in left.items()]
        offered = self._wide_enough(journey, [(member, instances) for member, instances in candidates if instances])
        if not offered:
            return None
        views: Views = {}
        plan = self._planner(journey, views).plan_route(step.route, offered)
        journey.note_candidates((one, views[one.id]) for _, instances in offered for one in instances)
        return plan

    def plan_model(self, journey: Journey, model: ModelName) -> Node | None:
        """For an attempt at an instance of `model` that was not tried yet."""
        candidates = self._candidates(journey, model)
        return self._plan(journey, model, candidates) if candidates else None

    def plan_again(self, journey: Journey, instance: Instance) -> Node:
        """For another attempt at the same instance."""
        return self._plan(journey, instance.model_name, [instance])

    def _plan(self, journey: Journey, model: ModelName, candidates: list[Instance]) -> Node:
        views: Views = {}
        plan = self._planner(journey, views).plan_model(model, candidates)
        journey.note_candidates((one, views[one.id]) for one in candidates)
        return plan

    def _wide_enough(self, journey: Journey, offered: list[Offer]) -> list[Offer]:
        """Without models whose context window is too small, while another model of the route has room."""
        need = journey.need
        # Of a model with any instance that fits, only those that fit are left; so the first one tells.
        fitting = [offer for offer in offered if need.fits(offer[1][0])]
        if not fitting or len(fitting) == len(offered):
            return offered
        too_small = [instance for _, instances in offered if not need.fits(instances[0]) for instance in instances]
        journey.note_refusals([Refusal(instance.id, Exclusion.CONTEXT_WINDOW) for instance in too_small])
        return fitting

    def _candidates(self, journey: Journey, model: ModelName) -> list[Instance]:
        instances, refusals = eligible(self._priced(journey, model), journey.need, journey.tried)
        journey.note_refusals(refusals)
        return instances

    def _priced(self, journey: Journey, model: ModelName) -> Sequence[Instance]:
        """The model's instances without those that must have a price and have none."""
        instances = journey.catalog.instances[model]
        prices = self.prices
        if prices is None or not prices.required:
            return instances
        refused = [instance for instance in instances if instance.enabled and prices.refuses(instance)]
        journey.note_refusals([Refusal(instance.id, Exclusion.UNPRICED) for instance in refused])
        ids = {instance.id for instance in refused}
        return [instance for instance in instances if instance.id not in ids]

    def _planner(self, journey: Journey, views: Views) -> Planner:
        """A planner that leaves in `views` how it saw each instance."""
        llm = journey.request.llm
        kind, routing = latency_kind(llm), self.routing

        def view_of(instance: Instance) -> InstanceView:
            view = views.get(instance.id)
            if view is None:
                view = views[instance.id] = routing.view(instance, kind)
            return view

        return Planner(
            catalog=journey.catalog,
            strategy=journey.policy.strategy,
            breaker=journey.policy.breaker,
            expected=_expected_usage(llm, journey.need.tokens),
            view_of=view_of,
            draw=self.randomness.draw,
            prices_of=own_prices if self.prices is None else self.prices.prices,
        )
