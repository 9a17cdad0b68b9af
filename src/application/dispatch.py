"""The attempt loop: candidates, plan, admission, call, report; then the next instance, model or fallback."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Generic, TypeVar

from application.active_attempt import ActiveAttempt, AttemptTools
from application.attempt_admission import AttemptAdmission
from application.billing.billing import Billing
from application.conclusion import conclude
from application.errors import model_not_allowed, model_not_found
from application.fan_out import Observers
from application.gateway_request import GatewayRequest
from application.journey import Journey, Step
from application.ports.catalog_source import CatalogSource
from application.ports.decision_log import DecisionLog
from application.ports.provider import Call, Provider, ProviderDirectory
from application.ports.request_observer import RequestObserver
from application.retry_budgets import RetryBudgets
from application.selection import Selection, expected_tokens, latency_kind
from application.spans import Spans
from domain.catalog import Instance, RouteModel
from domain.chat import Usage
from domain.failure import Blame, ProviderFailed
from domain.identifiers import ModelName
from domain.resilience.circuit import CircuitState
from domain.resilience.deadline import Deadline
from domain.resilience.retry import LONGEST_PAUSE_US, backoff_us
from domain.routing.admission import Admitted
from domain.routing.candidates import Need
from domain.routing.decision import AttemptTrace

T = TypeVar("T")
Perform = Callable[[Provider, Call, Spans], Awaitable[T]]
"""One call to a provider, up to the point from which it can't be taken back. Raises ProviderFailed."""


@dataclass(frozen=True, slots=True)
class Served(Generic[T]):
    """What an attempt gave; the attempt is still to be ended by whoever takes this."""

    value: T
    attempt: ActiveAttempt
    journey: Journey


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Finds an instance that serves a request, within its deadline, as often as policy and retry budget allow."""

    catalog_source: CatalogSource
    providers: ProviderDirectory
    decisions: DecisionLog
    retry_budgets: RetryBudgets
    admission: AttemptAdmission
    selection: Selection
    billing: Billing
    tools: AttemptTools
    observer: RequestObserver = field(default_factory=Observers)

    async def run(self, request: GatewayRequest, perform: Perform[T]) -> Served[T]:
        """The first attempt that succeeds.

        Raises:
            GatewayError: None did; which one says why (`application.conclusion`).
        """
        journey, first = self._begin(request)
        try:
            served = await self._search(journey, first, perform)
        except BaseException as error:
            self.finish(journey, "cancelled" if isinstance(error, asyncio.CancelledError) else type(error).__name__)
            raise
        if served is None:
            refusal = conclude(journey)
            self.finish(journey, type(refusal).__name__)
            raise refusal
        return served

    async def _search(self, journey: Journey, first: Step, perform: Perform[T]) -> Served[T] | None:
        for step in journey.steps(first):
            served = await self._serve_step(journey, step, perform)
            if served is not None or not journey.goes_on():
                return served
        return None

    def finish(self, journey: Journey, outcome: str, cost_nano: int | None = None, usage: Usage | None = None) -> None:
        """Closes the story of a request. `usage`: what its last attempt used, where that is known."""
        self.admission.leave(journey, usage)
        journey.trace.outcome = outcome
        journey.trace.cost_nano = cost_nano
        journey.trace.usage = usage
        journey.trace.finished_us = self.tools.clock.now_us()
        self.observer.finished(journey.trace)

    def _begin(self, request: GatewayRequest) -> tuple[Journey, Step]:
        catalog, policy = self.catalog_source.current()
        llm, caller = request.llm, request.caller
        resolved = catalog.resolve(caller.routes.get(llm.model, llm.model))
        if resolved is None:
            raise model_not_found(llm.model)
        if not caller.may_use(llm.model):
            raise model_not_allowed(llm.model)
        trace = request.begin_trace(resolved, self.tools.clock.now_us())
        trace.strategy = policy.strategy.value
        self.decisions.keep(trace)
        span_us = min(request.timeout_us or policy.max_deadline_us, policy.max_deadline_us)
        journey = Journey(
            request=request,
            catalog=catalog,
            policy=policy,
            need=Need(llm.endpoint, expected_tokens(llm, policy.default_output_tokens), caller.tags, request.tags),
            deadline=Deadline(self.tools.clock.monotonic_us() + span_us),
            trace=trace,
            providers=self.providers.snapshot(),
        )
        self.admission.expect(journey, resolved)
        if resolved.route is not None:
            return journey, Step(resolved.route.models, resolved.route)
        return journey, Step((RouteModel(resolved.model or ModelName(llm.model)),))

    async def _serve_step(self, journey: Journey, step: Step, perform: Perform[T]) -> Served[T] | None:
        """Tries the models of a step, one after the other, each with all the tries it has."""
        left = {member.model_name: member for member in step.models}
        while left and journey.goes_on():
            plan = partial(self.selection.plan_step, journey, step, left)
            admitted = await self.admission.admit(journey, plan(), plan)
            if admitted is None:
                journey.passed_over(left)
                return None
            served = await self._serve_model(journey, admitted, perform)
            if served is not None or not journey.stays_inside():
                return served
            del left[admitted.instance.model_name]
        return None

    async def _serve_model(self, journey: Journey, admitted: Admitted, perform: Perform[T]) -> Served[T] | None:
        """The first attempt at a model and its retries; None where all of them failed."""
        model = admitted.instance.model_name
        journey.visit(model)
        now_us = self.tools.clock.monotonic_us()
        self.retry_budgets.of(model, now_us).deposit(now_us)
        for attempt_in_model in range(1, journey.policy.instance_retry_attempts + 2):
            if attempt_in_model > 1:
                again = await self._admit_retry(journey, admitted.instance, attempt_in_model)
                if again is None:
                    return None
                admitted = again
            served = await self._attempt(journey, admitted, attempt_in_model, perform)
            if served is not None or not journey.stays_inside():
                return served
        return None

    async def _admit_retry(self, journey: Journey, last: Instance, attempt_in_model: int) -> Admitted | None:
        """Another instance of the same model; the same one only after a pause, and where there is no other."""
        make_plan = partial(self.selection.plan_model, journey, last.model_name)
        plan = make_plan()
        may_repeat = journey.failures[-1].verdict.blame is Blame.FAILURE and not self._is_out(journey, last)
        if plan is None and not may_repeat:
            return None
        now_us = self.tools.clock.monotonic_us()
        if not self.retry_budgets.of(last.model_name, now_us).try_withdraw(now_us):
            journey.trace.notes.append(f"retry budget of {last.model_name} is spent")
            return None
        admitted = await self.admission.admit(journey, plan, make_plan)
        if admitted is not None or not may_repeat or not await self._pause(journey, attempt_in_model - 1):
            return admitted
        return await self.admission.admit(journey, self.selection.plan_again(journey, last))

    def _is_out(self, journey: Journey, instance: Instance) -> bool:
        view = self.tools.routing.view(instance, latency_kind(journey.request.llm))
        return view.circuit is not CircuitState.CLOSED

    async def _pause(self, journey: Journey, failed_attempts: int) -> bool:
        """Waits before the same instance is asked again; False, at once, where that would take too long."""
        wanted_us = backoff_us(failed_attempts, self.tools.randomness.draw())
        wanted_us = max(wanted_us, journey.failures[-1].cooldown_us)
        left_us = journey.deadline.remaining_us(self.tools.clock.monotonic_us())
        if wanted_us > LONGEST_PAUSE_US:
            return False
        if wanted_us >= left_us:
            journey.lacked_time = True
            return False
        await self.tools.clock.sleep(wanted_us)
        return True

    async def _attempt(
        self, journey: Journey, admitted: Admitted, attempt_in_model: int, perform: Perform[T]
    ) -> Served[T] | None:
        """One call; None where it failed, with the failure added to the journey."""
        instance, request = admitted.instance, journey.request
        attempt = self._start(journey, admitted)
        journey.tried.add(instance.id)
        self._bill(journey, attempt)
        call = Call(
            request_id=request.request_id,
            request=request.llm,
            reply_model=request.llm.model,
            upstream_model=instance.upstream_model,
            drop_params=journey.policy.drop_params,
            connect_timeout_us=journey.policy.connect_timeout_us,
            max_output_tokens=self.billing.maximum_to_send(request, instance),
        )
        spans = Spans.of(journey.policy, instance, journey.deadline, attempt_in_model, self.tools.clock.monotonic_us())
        try:
            value = await perform(journey.providers.provider_of(instance), call, spans)
        except ProviderFailed as error:
            failure = error.failure
            if call.departure.has_left is False:  # It ran out of time before there was a connection.
                failure = replace(failure, ambiguous=False, unsent=True)
            attempt.failed(failure)
            journey.failures.append(failure)
            journey.deadline_passed = journey.deadline.passed(self.tools.clock.monotonic_us())
            return None
        except BaseException:
            attempt.cancelled(was_sent=call.departure.has_left is not False)
            raise
        return Served(value, attempt, journey)

    def _bill(self, journey: Journey, attempt: ActiveAttempt) -> None:
        """Writes down that it is going to be made. Where it must not be, nothing of it remains."""
        try:
            attempt.bill = self.billing.open(journey, attempt.instance, attempt.trace)
        except BaseException:
            attempt.cancelled(was_sent=False)
            journey.trace.attempts.pop()
            raise

    def _start(self, journey: Journey, admitted: Admitted) -> ActiveAttempt:
        trace = AttemptTrace(
            number=len(journey.trace.attempts) + 1,
            model=admitted.instance.model_name,
            instance_id=admitted.instance.id,
            provider=admitted.instance.provider,
            started_us=self.tools.clock.now_us(),
            probe=admitted.probe,
            admission_us=self.tools.clock.monotonic_us() - journey.asked_us,
        )
        attempt = ActiveAttempt(
            self.tools,
            admitted,
            journey.lease_id,
            kind=latency_kind(journey.request.llm),
            tokens_reserved=journey.need.tokens,
            slow_us=journey.policy.breaker.slow_call_duration_us,
            trace=trace,
        )
        journey.trace.attempts.append(trace)
        return attempt
