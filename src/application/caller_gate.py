import asyncio
from collections.abc import Sequence
from contextlib import suppress

from application.background import Background
from application.billing.reserving import Reserving
from application.errors import GatewayError, RateLimited, RequestExceedsLimit, StateUnavailable
from application.gateway_request import GatewayRequest
from application.lease_keeper import LEASE_US
from application.ports.admission import CallerAdmission
from application.ports.clock import Clock
from application.ports.routing import Routing
from domain.budget.answers import Refused, Unverified
from domain.budget.charge import Reservation
from domain.callers import Caller
from domain.durations import ceil_seconds
from domain.identifiers import RequestId
from domain.limits.admission import CallerAdmissionRequest, CallerAdmitted, CallerAnswer, CallerRefused, Standing
from domain.limits.limit import Limit, LimitKind
from domain.limits.rate_policy import RatePolicy
from domain.routing.admission import AdmissionRequest, Admitted, NotAdmitted

_RENEW_EVERY_US = LEASE_US // 3
_REMEMBERED_REFUSALS = 10_000
_UNITS = {
    LimitKind.REQUESTS: "requests per minute",
    LimitKind.TOKENS: "tokens per minute",
    LimitKind.PARALLEL: "requests at the same time",
}


class BudgetsUnknown(Exception):
    """The store of budgets does not know what these have come to: they are to be verified, and it asked again."""

    def __init__(self, answer: Unverified) -> None:
        super().__init__(f"unverified: {answer.budgets}")
        self.answer = answer


class CallerGate:
    """Lets a request in where all limits of its caller have room, in the same round trip that finds it an instance.

    When one of the two refuses, the other is undone. A caller that was just refused for requests or tokens of a minute
    is asked alone, before routing, until its time has come: a stream of requests over a limit costs half, and never
    touches anybody's turns.
    """

    def __init__(
        self, admission: CallerAdmission, routing: Routing, policy: RatePolicy, clock: Clock, reserving: Reserving
    ) -> None:
        self._admission = admission
        self._routing = routing
        self._reserving = reserving
        self._policy = policy
        self._clock = clock
        self._background = Background()
        self._refused_until_us: dict[tuple[str, str], int] = {}
        self._to_renew: dict[RequestId, CallerAdmissionRequest] = {}

    def reconfigure(self, policy: RatePolicy) -> None:
        """Other limits are in force, for requests that begin now. What callers have used of the same ones counts on."""
        self._policy = policy

    def entry(
        self, request: GatewayRequest, tokens: int, reservation: Reservation | None = None
    ) -> CallerAdmissionRequest | None:
        """What `request` has to pass; None where nothing limits its caller."""
        limits = self._policy.limits_of(request.caller, request.llm.endpoint)
        if not limits and reservation is None:
            return None
        return CallerAdmissionRequest(request.request_id, request.caller.account, limits, tokens, LEASE_US, reservation)

    def hit_entry(self, request: GatewayRequest, number: int) -> CallerAdmissionRequest | None:
        """The same for one that no provider is asked for: it uses no tokens and costs nothing.

        `number`: another one each time. It may have been let in before, and have gone another way.
        """
        limits = self._policy.limits_of(request.caller, request.llm.endpoint)
        counted = tuple(limit for limit in limits if limit.kind is not LimitKind.TOKENS)
        if not counted:
            return None
        hit_id = RequestId(f"{request.request_id}:hit-{number}")
        return CallerAdmissionRequest(hit_id, request.caller.account, counted, 0, LEASE_US)

    async def enter(
        self, entry: CallerAdmissionRequest, asked: AdmissionRequest
    ) -> tuple[CallerAdmitted, Admitted | NotAdmitted]:
        """The caller's admission and the instance's. The first must be ended by `leave`, whatever the second is.

        Raises:
            RateLimited: A limit of the caller has no room now.
            RequestExceedsLimit: It never will have, for a request of that size.
            BudgetExceeded: A budget of the caller does not allow it.
            BudgetsUnknown: What its budgets have come to has to be found out first.
            StateUnavailable: The store is away, and the policy is closed.
        """
        if self._refused_until_us and self._was_just_refused(entry):
            return await self._enter_first(entry, asked)
        entering = asyncio.create_task(self._admission.admit(entry))
        routed: Admitted | NotAdmitted | None = None
        try:
            routed = await self._routing.admit(asked)
            return self._let_in(entry, await asyncio.shield(entering)), routed
        except BaseException:
            if isinstance(routed, Admitted):
                self._routing.withdraw(asked)
            self._background.do(self._give_back(entering, entry))
            raise

    async def pass_by(self, request_id: RequestId, caller: Caller) -> Sequence[Standing]:
        """Lets in a request that asks no model, and says how its limits stand.

        Raises:
            RateLimited: A limit of the caller has no room now.
            StateUnavailable: The store is away, and the policy is closed.
        """
        limits = self._policy.requests_of(caller)
        if not limits:
            return ()
        entry = CallerAdmissionRequest(request_id, caller.account, limits, 0, LEASE_US)
        admitted = self._let_in(entry, await self._admission.admit(entry))
        if admitted.degraded:
            self._background.do(self._admission.settle(entry, None))
        return admitted.standings

    async def let_in(self, entry: CallerAdmissionRequest) -> CallerAdmitted:
        """The caller's admission alone, where no instance is asked. To be ended by `leave`. Raises as `enter`."""
        entering = asyncio.create_task(self._admission.admit(entry))
        try:
            return self._let_in(entry, await asyncio.shield(entering))
        except BaseException:
            self._background.do(self._give_back(entering, entry))
            raise

    def leave(self, entry: CallerAdmissionRequest, admitted: CallerAdmitted, *, ran: bool, tokens: int | None) -> None:
        """The request is over. `ran`: a provider was asked. `tokens` is what it used; None where that is unknown."""
        self._to_renew.pop(entry.request_id, None)
        if not ran:
            self._background.do(self._admission.release(entry))
        elif admitted.degraded or any(limit.kind is not LimitKind.REQUESTS for limit in entry.limits):
            self._background.do(self._admission.settle(entry, tokens))

    async def run(self) -> None:
        """Renews the slots of running requests, for ever; ends by cancellation."""
        while True:
            await self._clock.sleep(_RENEW_EVERY_US)
            # A store that is away keeps nothing from running; the next round may find it back in time.
            with suppress(StateUnavailable):
                await asyncio.gather(*(self._admission.renew(entry) for entry in self._to_renew.values()))

    async def settle(self) -> None:
        """Returns when all that was left is accounted for."""
        await self._background.settle()

    async def _enter_first(
        self, entry: CallerAdmissionRequest, asked: AdmissionRequest
    ) -> tuple[CallerAdmitted, Admitted | NotAdmitted]:
        entering = asyncio.create_task(self._admission.admit(entry))
        try:
            admitted = self._let_in(entry, await asyncio.shield(entering))
            return admitted, await self._routing.admit(asked)
        except BaseException:
            self._to_renew.pop(entry.request_id, None)
            self._background.do(self._give_back(entering, entry))
            raise

    def _was_just_refused(self, entry: CallerAdmissionRequest) -> bool:
        now_us = self._clock.monotonic_us()
        return any(self._refused_until_us.get((entry.account, limit.name), 0) > now_us for limit in entry.limits)

    async def _give_back(self, entering: "asyncio.Task[CallerAnswer]", entry: CallerAdmissionRequest) -> None:
        """Ends what was admitted, or will be: the request is not going to run."""
        with suppress(StateUnavailable):
            answer = await entering
            if isinstance(answer, CallerAdmitted):
                if entry.reservation is not None and answer.reserved is not None:
                    self._reserving.give_back(entry.account, entry.reservation)
                await self._admission.release(entry)

    def _let_in(self, entry: CallerAdmissionRequest, answer: CallerAnswer) -> CallerAdmitted:
        match answer:
            case CallerRefused():
                refusal = self._refusal(entry, answer)
                refusal.decided_alone = answer.degraded
                refusal.limits = (Standing(answer.limit, answer.decision),)
                raise refusal
            case Refused() if entry.reservation is not None:
                raise self._reserving.refusal(entry.reservation, answer)
            case Unverified():
                raise BudgetsUnknown(answer)
            case CallerAdmitted():
                return self._entered(entry, answer)
            case _:
                raise TypeError(f"no answer to a request without a reservation: {answer!r}")

    def _entered(self, entry: CallerAdmissionRequest, answer: CallerAdmitted) -> CallerAdmitted:
        if self._refused_until_us:
            for limit in entry.limits:
                self._refused_until_us.pop((entry.account, limit.name), None)
        if any(limit.kind is LimitKind.PARALLEL for limit in entry.limits):
            self._to_renew[entry.request_id] = entry
        return answer

    def _refusal(self, entry: CallerAdmissionRequest, refused: CallerRefused) -> GatewayError:
        limit, wait_us = refused.limit, refused.decision.retry_after_us
        if wait_us is None:
            return RequestExceedsLimit(f"about {entry.tokens} tokens can never fit {_said(limit)}: send less")
        if limit.kind is not LimitKind.PARALLEL:
            self._remember(entry.account, limit.name, wait_us)
        message = f"over your limit of {_said(limit)}: try again in {ceil_seconds(wait_us)} s"
        return RateLimited(message, retry_after_us=wait_us)

    def _remember(self, account: str, limit_name: str, wait_us: int) -> None:
        if len(self._refused_until_us) >= _REMEMBERED_REFUSALS:
            del self._refused_until_us[next(iter(self._refused_until_us))]
        self._refused_until_us[account, limit_name] = self._clock.monotonic_us() + wait_us


def _said(limit: Limit) -> str:
    return f"{limit.limit} {_UNITS[limit.kind]}"
