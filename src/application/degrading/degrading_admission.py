from dataclasses import replace

from application.degrading.budgets_alone import BudgetsAlone
from application.degrading.store_failure import OnStoreFailure
from application.errors import StateUnavailable
from application.ports.admission import CallerAdmission
from application.ports.gateway_registry import GatewayRegistry
from domain.gateways import share
from domain.identifiers import RequestId
from domain.limits.admission import CallerAdmissionRequest, CallerAdmitted, CallerAnswer, CallerRefused
from domain.limits.limit import Limit, LimitKind


class DegradingAdmission:
    """Asks the shared admission; while it does not answer, does what the policy says.

    DEGRADE asks a local one, with this gateway's share of every limit; OPEN admits; CLOSED raises StateUnavailable, and
    so does DEGRADE where the shared one has never been met, because the share is unknown. What was admitted locally is
    ended locally; ending what the shared one admitted never fails: its leases expire. Nothing local is ever merged into
    what is shared, and nothing of it is forgotten early: a store that fails every other time opens no new windows.

    That policy is for limits; `budgets` has its own, and says which requests with a reservation run meanwhile. Nothing
    is reserved for them.
    """

    def __init__(
        self,
        shared: CallerAdmission,
        local: CallerAdmission,
        registry: GatewayRegistry,
        policy: OnStoreFailure,
        budgets: BudgetsAlone,
    ) -> None:
        self._shared = shared
        self._registry = registry
        self._policy = policy
        self._budgets = budgets
        self._local = local
        self._held: dict[RequestId, tuple[CallerAdmission, CallerAdmissionRequest] | None] = {}

    def reconfigure(self, policy: OnStoreFailure) -> None:
        """Another policy for limits is in force."""
        self._policy = policy

    async def admit(self, request: CallerAdmissionRequest) -> CallerAnswer:
        """As the port says; `degraded` in the answer tells who decided."""
        if request.request_id in self._held:
            return await self._admit_limits(request)
        try:
            answer = await self._shared.admit(request)
        except StateUnavailable:
            if request.limits and self._policy is OnStoreFailure.CLOSED:
                raise
        else:
            self._budgets.heard()
            return answer
        return await self._admit_alone(request)

    async def settle(self, request: CallerAdmissionRequest, actual_tokens: int | None) -> None:
        """As the port says; never fails."""
        if request.request_id in self._held:
            held = self._held.pop(request.request_id)
            if held is not None:
                await held[0].settle(held[1], actual_tokens)
            return
        try:
            await self._shared.settle(request, actual_tokens)
        except StateUnavailable:
            return

    async def release(self, request: CallerAdmissionRequest) -> None:
        """As the port says; never fails."""
        if request.request_id in self._held:
            held = self._held.pop(request.request_id)
            if held is not None:
                await held[0].release(held[1])
            return
        try:
            await self._shared.release(request)
        except StateUnavailable:
            return

    async def renew(self, request: CallerAdmissionRequest) -> bool:
        """As the port says; True where nobody can be asked: the request goes on."""
        if request.request_id in self._held:
            held = self._held[request.request_id]
            return held is None or await held[0].renew(held[1])
        try:
            return await self._shared.renew(request)
        except StateUnavailable:
            return True

    async def _admit_alone(self, request: CallerAdmissionRequest) -> CallerAdmitted | CallerRefused:
        answer = await self._admit_limits(request)
        if request.reservation is not None and isinstance(answer, CallerAdmitted):
            try:
                self._budgets.take(request.reservation)
            except StateUnavailable:
                await self.release(request)
                raise
        return answer

    async def _admit_limits(self, request: CallerAdmissionRequest) -> CallerAdmitted | CallerRefused:
        if not request.limits or self._policy is OnStoreFailure.OPEN:
            self._held[request.request_id] = None
            return CallerAdmitted((), degraded=True)
        gateways = self._registry.count()
        if gateways is None:
            raise StateUnavailable("the shared state has not answered since the start")
        held = self._held.get(request.request_id) or (self._local, _shared_out(request, gateways))
        answer = await held[0].admit(held[1])
        if isinstance(answer, CallerRefused):
            whole = next(limit for limit in request.limits if limit.name == answer.limit.name)
            return replace(answer, limit=whole, degraded=True)
        if not isinstance(answer, CallerAdmitted):
            raise TypeError(f"a budget answered a request that reserves nothing: {answer}")
        self._held[request.request_id] = held
        return replace(answer, degraded=True)


def _shared_out(request: CallerAdmissionRequest, gateways: int) -> CallerAdmissionRequest:
    limits = tuple(_share_of(limit, request.tokens, gateways) for limit in request.limits)
    return replace(request, limits=limits, reservation=None)


def _share_of(limit: Limit, tokens: int, gateways: int) -> Limit:
    part = share(limit.limit, gateways)
    if limit.kind is LimitKind.TOKENS and part < tokens <= limit.limit:
        part = tokens  # Larger than the share, but not than the limit: it passes where nothing else did in the minute.
    return replace(limit, limit=part)


_conforms: type[CallerAdmission] = DegradingAdmission
