import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from application.billing.reserving import REBUILDING, REBUILDS, Reserving
from application.caller_gate import BudgetsUnknown, CallerGate
from application.errors import GatewayError, StateUnavailable
from application.journey import Journey
from application.lease_keeper import LEASE_US
from application.ports.clock import Clock
from application.ports.routing import Routing
from domain.budget.answers import Reserved
from domain.catalog import Resolved
from domain.chat import Usage
from domain.limits.admission import CallerAdmissionRequest, CallerAdmitted
from domain.routing.admission import AdmissionRequest, Admitted, NotAdmitted
from domain.routing.decision import Exclusion
from domain.routing.strategy import Node

MakePlan = Callable[[], Node | None]


@dataclass(frozen=True, slots=True)
class AttemptAdmission:
    """Finds each attempt an instance in the shared state, and the first one of a request its caller's admission."""

    routing: Routing
    gate: CallerGate
    reserving: Reserving
    clock: Clock

    def expect(self, journey: Journey, first: Resolved) -> None:
        """Before the first attempt: notes what the caller's limits and budgets will be asked."""
        self.reserving.quote(journey, first)
        journey.entry = self.gate.entry(journey.request, journey.need.tokens, self.reserving.ask(journey))

    async def admit(self, journey: Journey, plan: Node | None, replan: MakePlan | None = None) -> Admitted | None:
        """An instance of the plan; None where there is none or no time is left.

        A plan is made by pictures of the instances that may be old. Where admission meets circuits that have opened
        since, `replan` is asked for another one, once: it may have last resorts that the first could not know of.

        Raises:
            GatewayError: The caller is over a limit or a budget, or the state that decides it is away.
        """
        journey.asked_us = self.clock.monotonic_us()
        if journey.deadline.passed(journey.asked_us):
            journey.deadline_passed = True
            return None
        if plan is None:
            return None
        answer = await self._ask(journey, plan)
        if replan is not None and isinstance(answer, NotAdmitted) and _met_open_circuits(answer):
            another = replan()
            if another is not None and another != plan:
                answer = await self._ask(journey, another)
        return answer if isinstance(answer, Admitted) else None

    async def _ask(self, journey: Journey, plan: Node) -> Admitted | NotAdmitted:
        asked = AdmissionRequest(journey.next_lease(), plan, journey.need.tokens, LEASE_US)
        if journey.entry is not None and journey.let_in is None:
            answer = await self._enter(journey, journey.entry, asked)
        elif journey.request.caller.budgets and journey.reservation is None:
            answer = await self._reserve(journey, asked)
        else:
            answer = await self.routing.admit(asked)
        journey.note_refusals(answer.refusals)
        if answer.degraded:
            journey.note_degraded("routing")
        return answer

    def leave(self, journey: Journey, usage: Usage | None) -> None:
        """After the last attempt. `usage` is what that used; None where it is unknown."""
        self.reserving.let_go(journey)
        if journey.entry is None or journey.let_in is None:
            return
        tokens = None if usage is None else usage.input_tokens + usage.output_tokens
        self.gate.leave(journey.entry, journey.let_in, ran=bool(journey.trace.attempts), tokens=tokens)
        journey.let_in = None

    async def _enter(
        self, journey: Journey, entry: CallerAdmissionRequest, asked: AdmissionRequest, left: int = REBUILDS
    ) -> Admitted | NotAdmitted:
        try:
            journey.let_in, answer = await self.gate.enter(entry, asked)
        except BudgetsUnknown as unknown:
            if entry.reservation is None or not left:
                raise StateUnavailable(REBUILDING) from unknown
            await self.reserving.verify(journey, entry.reservation, unknown.answer)
            journey.entry = replace(entry, reservation=self.reserving.ask(journey))
            asked = replace(asked, lease_id=journey.next_lease())
            return await self._enter(journey, journey.entry, asked, left - 1)
        except GatewayError as error:
            if error.decided_alone:
                journey.note_degraded("rate_limit")
            journey.trace.limits, error.trace = error.limits, journey.trace
            raise
        self._note(journey, entry, journey.let_in)
        return answer

    def _note(self, journey: Journey, entry: CallerAdmissionRequest, let_in: CallerAdmitted) -> None:
        journey.trace.limits = let_in.standings
        if let_in.degraded and entry.limits:
            journey.note_degraded("rate_limit")
        if entry.reservation is None:
            return
        if isinstance(let_in.reserved, Reserved):
            self.reserving.held(journey, entry.reservation, let_in.reserved)
        else:
            self.reserving.withdrawn(journey, entry.reservation)

    async def _reserve(self, journey: Journey, asked: AdmissionRequest) -> Admitted | NotAdmitted:
        """An instance, and money for one more attempt, in one round trip."""
        reserving = asyncio.create_task(self.reserving.reserve(journey))
        routed: Admitted | NotAdmitted | None = None
        try:
            routed = await self.routing.admit(asked)
            await reserving
        except BaseException as error:
            reserving.cancel()
            reserving.add_done_callback(_heed)
            if isinstance(routed, Admitted):
                self.routing.withdraw(asked)
            if isinstance(error, GatewayError):
                error.trace = journey.trace
            raise
        return routed


def _heed(task: "asyncio.Task[None]") -> None:
    """Looks at how it ended: one failure of the two has been told already."""
    if not task.cancelled():
        task.exception()


def _met_open_circuits(answer: NotAdmitted) -> bool:
    return any(refusal.reason is Exclusion.CIRCUIT_OPEN for refusal in answer.refusals)
