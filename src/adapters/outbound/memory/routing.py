from collections.abc import Mapping

from adapters.outbound.memory.instance_states import InstanceStates
from application.ports.clock import Clock
from application.ports.event_sink import EventSink
from application.ports.routing import Routing
from domain.catalog import Catalog, Instance
from domain.events import CircuitChanged
from domain.identifiers import LeaseId
from domain.latency import LatencyKind
from domain.resilience.circuit_breaker import CircuitBreakerConfig, Transition
from domain.routing import instance_state
from domain.routing.admission import AdmissionRequest, Admitted, NotAdmitted, admit
from domain.routing.instance_state import InstanceView
from domain.routing.report import AttemptReport
from domain.routing.withdrawal import withdraw


class MemoryRouting:
    """Routing state of one process. No method awaits anything, so each is atomic among the tasks of its loop."""

    def __init__(
        self, config: CircuitBreakerConfig, clock: Clock, events: EventSink, states: InstanceStates | None = None
    ) -> None:
        self._config = config
        self._clock = clock
        self._events = events
        self._states = InstanceStates() if states is None else states
        self._state = self._states.of
        self._turns: dict[str, dict[str, int]] = {}
        self._held: dict[LeaseId, Admitted] = {}

    def view(self, instance: Instance, kind: LatencyKind) -> InstanceView:
        return instance_state.view(self._state(instance), self._config, kind, self._clock.monotonic_us())

    async def admit(self, request: AdmissionRequest) -> Admitted | NotAdmitted:
        held = self._held.get(request.lease_id)
        if held is not None:
            return held
        answer = admit(request, self._config, self._state, self._turns, self._clock.monotonic_us())
        if isinstance(answer, Admitted):
            self._held[request.lease_id] = answer
            self._announce(answer.instance, answer.transition)
        return answer

    def withdraw(self, request: AdmissionRequest) -> None:
        held = self._held.pop(request.lease_id, None)
        if held is not None:
            now_us = self._clock.monotonic_us()
            withdraw(request, held, self._state(held.instance), self._turns, now_us)
            self._states.forget_departed(now_us)

    async def renew(self, leases: Mapping[LeaseId, Instance], lease_us: int) -> None:
        now_us = self._clock.monotonic_us()
        for lease_id, instance in leases.items():
            instance_state.renew(self._state(instance), lease_id, lease_us, now_us)

    def observe_latency(self, instance: Instance, kind: LatencyKind, sample_us: int) -> None:
        instance_state.observe_success(self._state(instance), kind, sample_us, self._clock.monotonic_us())

    def reconfigure(self, breaker: CircuitBreakerConfig, catalog: Catalog) -> None:
        self._config = breaker
        self._states.reconfigure({instance.id for instance in catalog.all_instances()}, self._clock.monotonic_us())
        turn_keys = catalog.turn_keys()
        self._turns = {key: turn for key, turn in self._turns.items() if key in turn_keys}

    def report(self, report: AttemptReport) -> None:
        self._held.pop(report.lease_id, None)
        now_us = self._clock.monotonic_us()
        transition = instance_state.apply(self._state(report.instance), self._config, report, now_us)
        self._announce(report.instance, transition)
        self._states.forget_departed(now_us)

    def _announce(self, instance: Instance, transition: Transition | None) -> None:
        if transition is not None:
            self._events.publish(CircuitChanged(instance.id, transition))


_conforms: type[Routing] = MemoryRouting
