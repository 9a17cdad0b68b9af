from collections.abc import Callable, Mapping
from dataclasses import replace

from application.errors import StateUnavailable
from application.ports.clock import Clock
from application.ports.gateway_registry import GatewayRegistry
from application.ports.routing import Routing
from application.store_failure import FORGET_AFTER_US
from domain.catalog import Instance, InstanceLimits
from domain.gateways import share
from domain.identifiers import InstanceId, LeaseId
from domain.latency import LatencyKind
from domain.routing.admission import AdmissionRequest, Admitted, NotAdmitted
from domain.routing.instance_state import InstanceView
from domain.routing.report import AttemptReport
from domain.routing.strategy import Leaf, Node, Ordered, Weighted


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
        self._shares: dict[InstanceId, tuple[Instance, int, Instance]] = {}
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
        wanted: dict[InstanceId, Instance] = {}
        plan = self._shared_out(request.plan, request.tokens, gateways, wanted)
        answer = await holder.admit(replace(request, plan=plan))
        if isinstance(answer, NotAdmitted):
            return replace(answer, degraded=True)
        self._holders[request.lease_id] = holder
        return replace(answer, instance=wanted.get(answer.instance.id, answer.instance), degraded=True)

    def _shared_out(self, node: Node, tokens: int, gateways: int, wanted: dict[InstanceId, Instance]) -> Node:
        """The plan with this gateway's shares; `wanted` gets the instances as they were."""
        match node:
            case Leaf():
                wanted[node.instance.id] = node.instance
                return replace(node, instance=self._share_of(node.instance, tokens, gateways))
            case Ordered():
                return Ordered(tuple(self._shared_out(child, tokens, gateways, wanted) for child in node.children))
            case Weighted():
                children = (
                    (name, weight, self._shared_out(child, tokens, gateways, wanted))
                    for name, weight, child in node.children
                )
                return replace(node, children=tuple(children))

    def _share_of(self, instance: Instance, tokens: int, gateways: int) -> Instance:
        known = self._shares.get(instance.id)
        if known is None or known[0] is not instance or known[1] != gateways:
            known = (instance, gateways, replace(instance, limits=_shared_limits(instance.limits, gateways)))
            self._shares[instance.id] = known
        own, whole = known[2], instance.limits.tokens_per_minute
        part = own.limits.tokens_per_minute
        if whole is None or part is None or not part < tokens <= whole:
            return own
        # Larger than the share, but not than the limit: it goes where nothing else went within the minute.
        return replace(own, limits=replace(own.limits, tokens_per_minute=tokens))


def _shared_limits(limits: InstanceLimits, gateways: int) -> InstanceLimits:
    return InstanceLimits(
        _shared_limit(limits.requests_per_minute, gateways),
        _shared_limit(limits.tokens_per_minute, gateways),
        _shared_limit(limits.max_parallel, gateways),
    )


def _shared_limit(limit: int | None, gateways: int) -> int | None:
    return None if limit is None else share(limit, gateways)


_conforms: type[Routing] = DegradingRouting
