from collections.abc import Mapping
from dataclasses import dataclass, replace

from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.routing import Routing
from domain.catalog import Catalog, Instance
from domain.identifiers import LeaseId
from domain.latency import LatencyKind
from domain.resilience.circuit_breaker_config import CircuitBreakerConfig
from domain.routing.admission import AdmissionRequest, Admitted, NotAdmitted
from domain.routing.instance_state import InstanceView
from domain.routing.local_credits import LocalCredits
from domain.routing.report import AttemptReport
from domain.routing.turn_order import Way, in_turn


@dataclass(slots=True)
class _Held:
    """An admission until it ends. `request`: as it was passed on; `way`: the turns charged for it."""

    request: AdmissionRequest
    way: Way
    expires_us: int


class LocalTurns:
    """Asks the shared routing, with round-robins of its own: each gateway takes turns as if it were alone.

    Circuits, limits and leases stay as shared as they are. Shares stay exact in the long run, since sums of exact
    shares are; what all gateways take together is at most about 1.5 turns a gateway off in between.

    The turn is charged before the answer comes, or all who ask meanwhile would be sent the same way. Where another
    instance was taken, that is corrected by the difference: whoever was refused has no part in the turn.
    """

    def __init__(self, shared: Routing, randomness: Randomness, clock: Clock) -> None:
        self._shared = shared
        self._draw = randomness.draw
        self._clock = clock
        self._credits = LocalCredits()
        self._held: dict[LeaseId, _Held] = {}

    def view(self, instance: Instance, kind: LatencyKind) -> InstanceView:
        """The shared picture."""
        return self._shared.view(instance, kind)

    async def admit(self, request: AdmissionRequest) -> Admitted | NotAdmitted:
        """As the port says, but for the round-robin states: they are this gateway's."""
        held = self._held.get(request.lease_id)
        if held is not None:
            return await self._shared.admit(held.request)
        now_us = self._clock.monotonic_us()
        order = in_turn(request.plan, lambda key, weights: self._credits.of(key, weights, now_us, self._draw))
        if not order.has_turns:
            return await self._shared.admit(request)
        way = self._credits.expected(order.ways.values())
        held = _Held(replace(request, plan=order.plan), way, now_us + request.lease_us)
        self._held[request.lease_id] = held
        self._credits.charge(held.way)
        try:
            answer = await self._shared.admit(held.request)
        except BaseException:
            self._give_back(request.lease_id)
            raise
        if isinstance(answer, NotAdmitted):
            self._give_back(request.lease_id)
        else:
            self._correct(held, self._credits.settled(order.ways.get(answer.instance.id, held.way)))
        return answer

    def withdraw(self, request: AdmissionRequest) -> None:
        """As the port says; the turn is given back, too, while the lease lives."""
        held = self._held.get(request.lease_id)
        if held is None:
            self._shared.withdraw(request)
            return
        if self._clock.monotonic_us() >= held.expires_us:
            held.way = ()
        self._give_back(request.lease_id)
        self._shared.withdraw(held.request)

    async def renew(self, leases: Mapping[LeaseId, Instance], lease_us: int) -> None:
        """As the port says."""
        now_us = self._clock.monotonic_us()
        for lease_id in leases:
            held = self._held.get(lease_id)
            if held is not None and now_us < held.expires_us:
                held.expires_us = now_us + lease_us
        await self._shared.renew(leases, lease_us)

    def observe_latency(self, instance: Instance, kind: LatencyKind, sample_us: int) -> None:
        """As the port says."""
        self._shared.observe_latency(instance, kind, sample_us)

    def reconfigure(self, breaker: CircuitBreakerConfig, catalog: Catalog) -> None:
        """As the port says; turns that nobody asks for are forgotten after an hour."""
        self._shared.reconfigure(breaker, catalog)

    def report(self, report: AttemptReport) -> None:
        """As the port says; the turn counts, whatever the attempt came to."""
        self._held.pop(report.lease_id, None)
        self._shared.report(report)

    def _correct(self, held: _Held, way: Way) -> None:
        if way != held.way:
            self._credits.give_back(held.way)
            self._credits.charge(way)
            held.way = way

    def _give_back(self, lease_id: LeaseId) -> None:
        held = self._held.pop(lease_id, None)
        if held is not None:
            self._credits.give_back(held.way)


_conforms: type[Routing] = LocalTurns
