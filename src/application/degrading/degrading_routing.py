from collections.abc import Callable, Mapping
from dataclasses import replace

from application.degrading.store_failure import FORGET_AFTER_US
from application.errors import StateUnavailable
from application.ports.clock import Clock
from application.ports.gateway_registry import GatewayRegistry
from application.ports.routing import Routing
from domain.catalog import Catalog, Instance
from domain.identifiers import LeaseId
from domain.latency import LatencyKind
from domain.resilience.circuit_breaker_config import CircuitBreakerConfig
from domain.routing.admission import AdmissionRequest, Admitted, NotAdmitted
from domain.routing.decision import Exclusion
from domain.routing.instance_state import InstanceView
from domain.routing.report import AttemptReport
from domain.routing.shares import Shares


class DegradingRouting:
    """Asks the shared routing; while it does not answer, a local one with this gateway's share of every limit.

    What was admitted by one is renewed, withdrawn and reported there. The local one starts without experience and is
    put aside when the shared one answers again: nothing of it is merged. It is forgotten after a minute, not at once,
    or a store that fails every other time would open a new window with each failure.

    Attributes:
        degraded: The last attempt was decided locally.

    Args:
        make_local: A routing without experience.
        registry: Among how many gateways the limits are shared.
    """

    def __init__(
        self, shared: Routing, make_local: Callable[[], Routing], registry: GatewayRegistry, clock: Clock
    ) -> None:
        self._shared = shared
        self._make_local = make_local
        self._registry = registry
        self._clock = clock
        self._local = make_local()
        self._local_used_us = clock.monotonic_us()
        self._holders: dict[LeaseId, Routing] = {}
        self._shares = Shares()
        self.degraded = False

    def view(self, instance: Instance, kind: LatencyKind) -> InstanceView:
        """The picture of whichever decides now."""
        return (self._local if self.degraded else self._shared).view(instance, kind)

    async def admit(self, request: AdmissionRequest) -> Admitted | NotAdmitted:
        """As the port says; `degraded` in the answer tells who decided.

        Raises:
            StateUnavailable: The shared routing has never been met, so this gateway's share is unknown.
        """
        if request.lease_id not in self._holders:
            try:
                answer = await self._shared.admit(request)
            except StateUnavailable:
                if self._registry.count() is None:
                    raise  # It was never met: how many share the limits is unknown, and "all of them are mine" a guess.
                self._degrade()
            else:
                self.degraded = False
                return answer
        return await self._admit_locally(request, self._registry.count() or 1)

    def withdraw(self, request: AdmissionRequest) -> None:
        """Goes to the one that admitted it. Its share of the limits makes no difference: none is decided."""
        self._holders.pop(request.lease_id, self._shared).withdraw(request)

    async def renew(self, leases: Mapping[LeaseId, Instance], lease_us: int) -> None:
        """As the port says; never fails."""
        by_holder: dict[Routing, dict[LeaseId, Instance]] = {}
        for lease_id, instance in leases.items():
            by_holder.setdefault(self._holders.get(lease_id, self._shared), {})[lease_id] = instance
        for holder, held in by_holder.items():
            try:
                await holder.renew(held, lease_us)
            except StateUnavailable:
                continue  # They expire where nobody can be asked; the attempts go on.

    def observe_latency(self, instance: Instance, kind: LatencyKind, sample_us: int) -> None:
        """Feeds whichever decides now."""
        (self._local if self.degraded else self._shared).observe_latency(instance, kind, sample_us)

    def reconfigure(self, breaker: CircuitBreakerConfig, catalog: Catalog) -> None:
        """Tells both. The shared one is told what is configured; local ones that are put aside end as they began."""
        self._shared.reconfigure(breaker, catalog)
        self._local.reconfigure(breaker, catalog)

    def report(self, report: AttemptReport) -> None:
        """Goes to the one that admitted the attempt, whoever decides now."""
        self._holders.pop(report.lease_id, self._shared).report(report)

    def _degrade(self) -> None:
        now_us = self._clock.monotonic_us()
        if not self.degraded and now_us - self._local_used_us > FORGET_AFTER_US:
            self._local = self._make_local()
        self.degraded = True
        self._local_used_us = now_us

    async def _admit_locally(self, request: AdmissionRequest, gateways: int) -> Admitted | NotAdmitted:
        holder = self._holders.get(request.lease_id, self._local)
        shared_out = self._shares.of(request.plan, request.tokens, gateways, self._is_out)
        left_out = tuple(shared_out.refusals)
        if shared_out.plan is None:
            return NotAdmitted(left_out, degraded=True)
        answer = await holder.admit(replace(request, plan=shared_out.plan))
        refusals = left_out + answer.refusals
        if isinstance(answer, NotAdmitted):
            return NotAdmitted(refusals, degraded=True)
        self._holders[request.lease_id] = holder
        instance = shared_out.whole.get(answer.instance.id, answer.instance)
        return replace(answer, instance=instance, refusals=refusals, degraded=True)

    def _is_out(self, instance: Instance) -> Exclusion | None:
        """What an operator took out stays out: the last that was seen of it counts, however old that is by now."""
        return self._shared.view(instance, LatencyKind.WHOLE).taken_out


_conforms: type[Routing] = DegradingRouting
