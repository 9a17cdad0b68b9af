"""A second, simpler opinion of what the shared store decides of instances, asked at each of its steps."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from adapters.outbound.memory.routing import MemoryRouting
from adapters.testing.virtual_time import VirtualClock
from domain.catalog import Instance
from domain.identifiers import InstanceId, LeaseId
from domain.resilience.circuit_breaker import CircuitState
from domain.resilience.circuit_breaker_config import CircuitBreakerConfig
from domain.resilience.outcome import Outcome
from domain.routing.admission import AdmissionRequest, Admitted, NotAdmitted, Turn
from domain.routing.report import AttemptReport
from domain.routing.strategy import leaves

_MOST_AHEAD = 3
"""Turns: two bounds of 1.5 around the share, as counting may begin anywhere in a round."""


@dataclass(frozen=True, slots=True)
class _Lease:
    generation: int
    probe: bool
    expires_us: int


class InstanceOracle:
    """Watches a routing store. `violated` is told of what must never be."""

    def __init__(
        self,
        routing: MemoryRouting,
        breaker: CircuitBreakerConfig,
        clock: VirtualClock,
        violated: Callable[[str], None],
    ) -> None:
        self._routing, self._breaker, self._clock, self._violated = routing, breaker, clock, violated
        self._leases: dict[InstanceId, dict[LeaseId, _Lease]] = defaultdict(dict)
        self._rounds: dict[str, _Round] = {}

    async def admit(self, request: AdmissionRequest) -> Admitted | NotAdmitted:
        known = request.lease_id in self._routing._held
        options = {leaf.instance.id: leaf for leaf in leaves(request.plan)}
        before = self._standing(request)
        circuits = {leaf.instance.id: self._routing._state(leaf.instance).circuit for leaf in options.values()}
        answer = await self._routing.admit(request)
        if isinstance(answer, NotAdmitted):
            if self._standing(request) != before:
                self._violated(f"the refusal of {request.lease_id} changed what is counted")
        elif not known:
            chosen, now_us = options[answer.instance.id], self._clock.monotonic_us()
            circuit = circuits[answer.instance.id]
            closed = circuit.state is CircuitState.OPEN and now_us < circuit.open_until_us
            if closed and not chosen.last_resort:
                self._violated(f"{request.lease_id} was let through the open circuit of {answer.instance.id}")
            self._taken(request, answer)
        return answer

    def withdraw(self, request: AdmissionRequest) -> None:
        held = self._routing._held.get(request.lease_id)
        self._routing.withdraw(request)
        if held is not None:
            self._leases[held.instance.id].pop(request.lease_id, None)
            self._check_count(held.instance)
        self._rounds.clear()  # turns were given back

    async def renew(self, leases: Mapping[LeaseId, Instance], lease_us: int) -> None:
        await self._routing.renew(leases, lease_us)
        now_us = self._clock.monotonic_us()
        for lease_id, instance in leases.items():
            mine = self._live(instance)
            if (lease := mine.get(lease_id)) is not None:
                mine[lease_id] = _Lease(lease.generation, lease.probe, now_us + lease_us)
            self._check_count(instance)

    def report(self, report: AttemptReport) -> None:
        state = self._routing._state(report.instance)
        lease, before = self._live(report.instance).pop(report.lease_id, None), state.circuit
        self._routing.report(report)
        after = state.circuit
        self._check_count(report.instance)
        if after.generation == before.generation:
            return
        # Of a closed one, a success may be the call that makes a rate count.
        probed = before.state is CircuitState.HALF_OPEN
        what = f"{report.lease_id} moved the circuit of {report.instance.id} to {after.state}"
        if lease is None or lease.generation != before.generation:
            self._violated(f"{what}, but was sent before the circuit last moved")
        if probed and (lease is None or not lease.probe):
            self._violated(f"{what}, and was no probe")
        if probed and (after.state is CircuitState.CLOSED) != (report.outcome is Outcome.SUCCESS):
            self._violated(f"{what} with {report.outcome}")

    def _taken(self, request: AdmissionRequest, answer: Admitted) -> None:
        instance, now_us = answer.instance, self._clock.monotonic_us()
        mine = self._live(instance)
        mine[request.lease_id] = _Lease(answer.generation, answer.probe, now_us + request.lease_us)
        most = instance.limits.max_parallel
        if most is not None and len(mine) > most:
            self._violated(f"{len(mine)} run at once at {instance.id}, and {most} may")
        self._check_count(instance)
        probes = [one for one in self._routing._state(instance).circuit.probes if one[1] > now_us]
        if len(probes) > self._breaker.half_open_probes:
            self._violated(f"{len(probes)} probes run at once at {instance.id}")
        for turn in answer.turns:
            self._turned(turn)

    def _turned(self, turn: Turn) -> None:
        now = self._rounds.get(turn.key)
        if now is None or now.eligible != turn.eligible:
            now = self._rounds[turn.key] = _Round(turn.eligible)
        if (ahead := now.count(turn.picked)) > _MOST_AHEAD:
            self._violated(f"{turn.picked} was picked {float(ahead):.1f} turns more or less often than its weight says")

    def _live(self, instance: Instance) -> dict[LeaseId, _Lease]:
        mine, now_us = self._leases[instance.id], self._clock.monotonic_us()
        for lease_id in [lease_id for lease_id, lease in mine.items() if lease.expires_us <= now_us]:
            del mine[lease_id]
        return mine

    def _check_count(self, instance: Instance) -> None:
        counted = self._routing._state(instance).leases.live(self._clock.monotonic_us())
        if counted != len(self._live(instance)):
            self._violated(f"the store counts {counted} leases of {instance.id}, and {len(self._live(instance))} run")

    def _standing(self, request: AdmissionRequest) -> object:
        now_us = self._clock.monotonic_us()
        states = [self._routing._state(leaf.instance) for leaf in leaves(request.plan)]
        counted = [(one.requests.used(now_us), one.tokens.used(now_us), one.leases.live(now_us)) for one in states]
        return counted, {key: dict(turn) for key, turn in self._routing._turns.items()}


class _Round:
    """How often each was picked while the same ones were eligible."""

    def __init__(self, eligible: tuple[tuple[str, int], ...]) -> None:
        self.eligible = eligible
        self._picked: dict[str, int] = dict.fromkeys((name for name, _ in eligible), 0)

    def count(self, name: str) -> Fraction:
        """The most by which one is ahead of its share, or behind it, after this pick."""
        self._picked[name] += 1
        picks, weights = sum(self._picked.values()), sum(weight for _, weight in self.eligible)
        return max(abs(self._picked[name] - Fraction(picks * weight, weights)) for name, weight in self.eligible)
