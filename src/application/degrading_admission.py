from dataclasses import replace

from application.errors import StateUnavailable
from application.ports.admission import CallerAdmission
from application.ports.gateway_registry import GatewayRegistry
from application.store_failure import OnStoreFailure
from domain.gateways import share
from domain.identifiers import RequestId
from domain.limits.admission import CallerAdmissionRequest, CallerAdmitted, CallerRefused
from domain.limits.limit import Limit, LimitKind


class DegradingAdmission:
    """Asks the shared admission; while it does not answer, does what the policy says.

    DEGRADE asks a local one, with this gateway's share of every limit; OPEN admits; CLOSED raises StateUnavailable, and
    so does DEGRADE where the shared one has never been met, because the share is unknown. What was admitted locally is
    ended locally; ending what the shared one admitted never fails: its leases expire. Nothing local is ever merged into
    what is shared, and nothing of it is forgotten early: a store that fails every other time opens no new windows.
    """

    def __init__(
        self,
        shared: CallerAdmission,
        local: CallerAdmission,
        registry: GatewayRegistry,
        policy: OnStoreFailure,
    ) -> None:
        self._shared = shared
        self._registry = registry
        self._policy = policy
        self._local = local
        self._held: dict[RequestId, tuple[CallerAdmission, CallerAdmissionRequest] | None] = {}

    async def admit(self, request: CallerAdmissionRequest) -> CallerAdmitted | CallerRefused:
        """As the port says; `degraded` in the answer tells who decided."""
        if request.request_id not in self._held:
            try:
                return await self._shared.admit(request)
            except StateUnavailable:
                if self._policy is OnStoreFailure.CLOSED:
                    raise
        if self._policy is OnStoreFailure.OPEN:
            self._held[request.request_id] = None
            return CallerAdmitted((), degraded=True)
        return await self._admit_locally(request)

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

    async def _admit_locally(self, request: CallerAdmissionRequest) -> CallerAdmitted | CallerRefused:
        gateways = self._registry.count()
        if gateways is None:
            raise StateUnavailable("the shared state has not answered since the start")
        held = self._held.get(request.request_id) or (self._local, _shared_out(request, gateways))
        answer = await held[0].admit(held[1])
        if isinstance(answer, CallerRefused):
            whole = next(limit for limit in request.limits if limit.name == answer.limit.name)
            return replace(answer, limit=whole, degraded=True)
        self._held[request.request_id] = held
        return replace(answer, degraded=True)


def _shared_out(request: CallerAdmissionRequest, gateways: int) -> CallerAdmissionRequest:
    return replace(request, limits=tuple(_share_of(limit, request.tokens, gateways) for limit in request.limits))


def _share_of(limit: Limit, tokens: int, gateways: int) -> Limit:
    part = share(limit.limit, gateways)
    if limit.kind is LimitKind.TOKENS and part < tokens <= limit.limit:
        part = tokens  # Larger than the share, but not than the limit: it passes where nothing else did in the minute.
    return replace(limit, limit=part)


_conforms: type[CallerAdmission] = DegradingAdmission
