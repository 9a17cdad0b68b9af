"""The way of one request through its models: what was tried, what failed, where it may still go."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from application.gateway_request import GatewayRequest
from application.ports.provider import ProviderDirectory
from domain.budget.charge import Reservation
from domain.catalog import Catalog, Instance, Route, RouteModel, RouterPolicy
from domain.failure import Failure, FailureKind
from domain.identifiers import InstanceId, LeaseId, ModelName, lease_id
from domain.limits.admission import CallerAdmissionRequest, CallerAdmitted
from domain.resilience.deadline import Deadline
from domain.routing.candidates import Need
from domain.routing.decision import MOST_CANDIDATES, Candidate, DecisionTrace, Refusal
from domain.routing.instance_state import InstanceView

_NO_LEASE = LeaseId("")


@dataclass(frozen=True, slots=True)
class Step:
    """One stop: a model, or a route with the models that it chooses between."""

    models: tuple[RouteModel, ...]
    route: Route | None = None


@dataclass(slots=True)
class Journey:
    """Mutable story of one request; belongs to one task.

    Attributes:
        catalog, policy, providers: Those in force when it began; it keeps them, whatever is reloaded.
        failures: Of all attempts, in order.
        refusals: Of the last time nothing could be admitted, by instance.
        lease_id: Of the last admission that was asked for. Each has its own: one whose answer was lost may hold
            something else under the one before.
        entry: What the caller's limits are asked; None where there are none.
        let_in: What they answered; None before, and after the request has left.
        amount_nano: What each attempt reserves; 0 where nothing has to be.
        reservation: Held for the attempt that is made next; None where there is none.
        reserved_us: When that was asked for.
        is_billed: An attempt of it is in the journal.
        lacked_time: A pause was not made, because of the deadline; nor what would have come after it.
        asked_us: When the admission of the attempt that is made next was asked for, on the monotonic clock.
    """

    request: GatewayRequest
    catalog: Catalog
    policy: RouterPolicy
    need: Need
    deadline: Deadline
    trace: DecisionTrace
    providers: ProviderDirectory
    lease_id: LeaseId = _NO_LEASE
    entry: CallerAdmissionRequest | None = None
    let_in: CallerAdmitted | None = None
    amount_nano: int = 0
    reservation: Reservation | None = None
    reserved_us: int = 0
    is_billed: bool = False
    asked_us: int = 0
    tried: set[InstanceId] = field(default_factory=set)
    failures: list[Failure] = field(default_factory=list)
    refusals: dict[InstanceId, Refusal] = field(default_factory=dict)
    deadline_passed: bool = False
    lacked_time: bool = False
    _visited: set[ModelName] = field(default_factory=set)
    _was_too_long: bool = False
    _admissions: int = 0

    def next_lease(self) -> LeaseId:
        """The id of the admission that is asked for next."""
        self._admissions += 1
        self.lease_id = lease_id(self.request.request_id, self._admissions)
        return self.lease_id

    def steps(self, first: Step) -> Iterator[Step]:
        """The first stop, then its fallbacks, breadth first, each model once.

        A failure of the context window leads to the fallbacks for that; any other to the ordinary ones.
        """
        yield first
        if not (self.policy.enable_failover and self.policy.enable_model_fallback):
            return
        queue = deque(first.route.fallback_models if first.route else ())
        members = [member.model_name for member in first.models]
        if self._too_long():
            # The route was left at once: what else it holds was not asked, and may be the wider model.
            self._visited.update(self.trace.models_visited)
            members = self.trace.models_visited[-1:]
        self._visited.update(members)
        self._extend(queue, members)
        while queue and self.goes_on():
            model = queue.popleft()
            if model in self._visited:
                continue
            self._visited.add(model)
            if not self.request.caller.may_use(model):
                self.trace.notes.append(f"fallback {model} is not allowed for this caller")
                continue
            yield Step((RouteModel(model),))
            self._extend(queue, [model])

    def goes_on(self) -> bool:
        """Whether another attempt may help and is allowed."""
        if self.deadline_passed or (self.failures and not self.policy.enable_failover):
            return False
        if not self.failures or self.failures[-1].verdict.retry:
            return True
        return self._too_long() and bool(self.catalog.context_window_fallbacks)

    def stays_inside(self) -> bool:
        """Whether another attempt at the same model may help."""
        return self.goes_on() and (not self.failures or self.failures[-1].verdict.retry)

    def visit(self, model: ModelName) -> None:
        """Notes that the way led to `model`."""
        if not self.trace.models_visited or self.trace.models_visited[-1] != model:
            self.trace.models_visited.append(model)

    def passed_over(self, models: Iterable[ModelName]) -> None:
        """Notes that nothing of `models` could be admitted: the way goes on past them, unless it ends there."""
        for model in () if self.deadline_passed else models:
            self.visit(model)

    def note_refusals(self, refusals: "list[Refusal] | tuple[Refusal, ...]") -> None:
        """Keeps why instances were passed over, for the trace and for the final answer."""
        if refusals:
            self.trace.exclusions.extend(refusals)
            self.refusals.update((refusal.instance_id, refusal) for refusal in refusals)

    def note_candidates(self, views: Iterable[tuple[Instance, InstanceView]]) -> None:
        """Notes for the trace whom the next attempt can go to."""
        noted, attempt = self.trace.candidates, len(self.trace.attempts) + 1
        for instance, view in views:
            if len(noted) == MOST_CANDIDATES:
                return
            noted.append(
                Candidate(
                    attempt,
                    instance.id,
                    instance.priority,
                    instance.weight_milli,
                    view.circuit.value,
                    view.weight_factor,
                    None if view.cooldown is None else view.cooldown.value,
                    view.in_flight,
                    view.latency_us,
                )
            )

    def note_degraded(self, feature: str) -> None:
        """Notes that `feature` was decided by this gateway alone."""
        if feature not in self.trace.degraded:
            self.trace.degraded += (feature,)

    def _extend(self, queue: deque[ModelName], models: list[ModelName]) -> None:
        table = self.catalog.fallbacks
        if self._too_long():
            table = self.catalog.context_window_fallbacks
            if not self._was_too_long:
                # What waits was meant for other failures, and nothing says that it is any wider.
                queue.clear()
            self._was_too_long = True
        for model in models:
            queue.extend(table.get(model, ()))

    def _too_long(self) -> bool:
        return bool(self.failures) and self.failures[-1].kind is FailureKind.CONTEXT_LENGTH
