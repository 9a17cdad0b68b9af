import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from adapters.outbound.redis.ends import End, Ends
from adapters.outbound.redis.executor import Now, RedisExecutor, server_time
from adapters.outbound.redis.routing.keys import RoutingKeys
from adapters.outbound.redis.routing.pictures import Pictures
from adapters.outbound.redis.routing.wire import (
    FlatPlan,
    admission_of,
    belated,
    in_flight_of,
    in_portions,
    report_words,
    transition_of,
    withdrawal_words,
)
from application.errors import StateUnavailable
from application.ports.clock import Clock
from application.ports.event_sink import EventSink
from application.ports.routing import Routing
from domain.catalog import Catalog, Instance
from domain.durations import SECOND_US
from domain.events import CircuitChanged
from domain.identifiers import InstanceId, LeaseId
from domain.latency import LatencyKind
from domain.resilience.circuit_breaker import CircuitBreakerConfig, Transition
from domain.routing.admission import AdmissionRequest, Admitted, NotAdmitted
from domain.routing.decision import Refusal
from domain.routing.instance_state import InstanceView
from domain.routing.report import AttemptReport

REFRESH_EVERY_US = SECOND_US // 5

_log = logging.getLogger("moongate.store")


class RedisRouting:
    """Routing state that all gateways share. Admission is decided in Redis, in one script and one round trip.

    Of a plan with more than 16 instances the next 16 are asked only where the ones before are all refused; each 16 are
    decided in one step.

    Choosing by load or latency goes by pictures of the instances, at most 200 ms old where they are in use and 2 s
    where they are not; what they say wrongly of a circuit or a limit, admission corrects, since it asks the truth.
    Reports and withdrawals are sent in the background, asked at once, so that they stand before the next admission.
    """

    def __init__(
        self,
        executor: RedisExecutor,
        config: CircuitBreakerConfig,
        clock: Clock,
        events: EventSink,
        prefix: str,
        now: Now = server_time,
        known: Callable[[], Iterable[Instance]] = tuple,
        ends: Ends | None = None,
    ) -> None:
        self._executor = executor
        self._config = config
        self._clock = clock
        self._events = events
        self._keys = RoutingKeys(prefix)
        self._now = now
        self._pictures = Pictures(executor, self._keys, config, clock, now, known)
        self._ends = ends or Ends(executor, clock)
        self._running: Counter[InstanceId] = Counter()
        self._held: dict[LeaseId, tuple[InstanceId, int]] = {}
        self._background: set[asyncio.Task[Any]] = set()

    def view(self, instance: Instance, kind: LatencyKind) -> InstanceView:
        return self._pictures.view(instance, kind, self._running[instance.id])

    async def admit(self, request: AdmissionRequest) -> Admitted | NotAdmitted:
        self._give_back()  # Before it is asked, so that nobody is refused for what is over.
        parts = in_portions(request)
        refusals: tuple[Refusal, ...] = ()
        for portion in range(self._portion_of(request.lease_id), len(parts)):
            answer = await self._admit_portion(parts[portion])
            refusals += answer.refusals
            if isinstance(answer, Admitted):
                self._begin(request.lease_id, answer.instance.id, portion)
                return replace(answer, refusals=refusals) if portion else answer
        return NotAdmitted(refusals)

    async def _admit_portion(self, request: AdmissionRequest) -> Admitted | NotAdmitted:
        flat = FlatPlan.of(request.plan)
        keys = self._admission_keys(flat, request.lease_id)
        config = self._config
        settings = (request.tokens, request.lease_us, config.half_open_probes, config.open_duration_us)
        words = [self._now(), request.lease_id, *settings, len(flat.instances), *flat.limits, *flat.words]
        try:
            said = await self._ends.admit(
                request.lease_id, "routing/admit", keys, words, lambda: self._undoing(request, flat)
            )
        except asyncio.CancelledError:
            # It may be taken all the same. This runs after it, and changes nothing where it never was.
            self._send(self._ends.post(self._undoing(request, flat)))
            raise
        answer = admission_of(said, flat.instances, self._clock.now_us())
        if isinstance(answer, Admitted):
            self._announce(answer.instance, answer.transition)
            self._pictures.count(answer.instance.id, in_flight_of(said), self._running[answer.instance.id] + 1)
        if answer.refusals:
            self._pictures.learn(answer.refusals)
        return answer

    def withdraw(self, request: AdmissionRequest) -> None:
        part = in_portions(request)[self._portion_of(request.lease_id)]
        self._end(request.lease_id)
        self._send(self._ends.post(self._undoing(part, FlatPlan.of(part.plan))))

    async def renew(self, leases: Mapping[LeaseId, Instance], lease_us: int) -> None:
        now = self._now()
        await asyncio.gather(
            *(
                self._executor.call(
                    "routing/renew",
                    [self._keys.of(one).circuit, self._keys.of(one).leases, self._keys.admitted(one, lease_id)],
                    [now, lease_id, lease_us],
                )
                for lease_id, one in leases.items()
            )
        )

    def observe_latency(self, instance: Instance, kind: LatencyKind, sample_us: int) -> None:
        keys = self._keys.of(instance)
        words = [self._now(), kind.value, sample_us]
        self._send(self._executor.post("latency/observe", [keys.latency, *keys.sketches[kind]], words))

    def reconfigure(self, breaker: CircuitBreakerConfig, catalog: Catalog) -> None:
        del catalog  # What is known of an instance is shared, and expires where it is.
        self._config = breaker
        self._pictures.reconfigure(breaker)
        self._running = +self._running  # Without those that nothing runs at.

    def report(self, report: AttemptReport) -> None:
        self._end(report.lease_id)
        answer = self._ends.post(self._ending(report), lambda: self._ending(belated(report)))
        self._send(self._announce_reported(report.instance, answer))

    async def settle(self) -> None:
        """Returns when everything that was reported so far has arrived, or was given up."""
        while self._background:
            await asyncio.wait(self._background)

    async def look(self) -> None:
        """Takes a picture of every instance that is due; the first time of all. Raises as `refresh`."""
        await self.refresh(self._pictures.due(self._clock.monotonic_us()))

    async def refresh(self, instances: Iterable[Instance]) -> None:
        """Takes new pictures, all in one round trip.

        Raises:
            StateUnavailable: Redis does not answer for some of them; the old ones stay.
        """
        await self._pictures.refresh(instances, self._running)

    async def run(self) -> None:
        """Takes pictures, of instances in use every 200 ms, for ever; ends by cancellation."""
        while True:
            await self._clock.sleep(REFRESH_EVERY_US)
            with suppress(StateUnavailable):
                await self.look()
            self._give_back()

    def _admission_keys(self, flat: FlatPlan, lease_id: LeaseId) -> list[str]:
        first = flat.instances[0]
        return [
            self._keys.admitted(first, lease_id),
            *(key for instance in flat.instances for key in self._keys.of(instance).admission),
            *(self._keys.turn(first, turn) for turn in flat.turns),
        ]

    def _ending(self, report: AttemptReport) -> End:
        keys = self._keys.reporting(report.instance, report.lease_id, report.latency_kind)
        words = [self._now(), *report_words(report, self._config)]
        return End(report.lease_id, "routing/report", keys, words, until_taken=False)

    def _undoing(self, request: AdmissionRequest, flat: FlatPlan) -> End:
        keys = self._admission_keys(flat, request.lease_id)
        words = [self._now(), *withdrawal_words(request, len(flat.instances))]
        return End(request.lease_id, "routing/withdraw", keys, words, until_taken=True)

    def _begin(self, lease_id: LeaseId, instance_id: InstanceId, portion: int) -> None:
        if lease_id not in self._held:
            self._held[lease_id] = (instance_id, portion)
            self._running[instance_id] += 1

    def _end(self, lease_id: LeaseId) -> None:
        held = self._held.pop(lease_id, None)
        if held is not None:
            self._running[held[0]] -= 1

    def _portion_of(self, lease_id: LeaseId) -> int:
        """Which part of its plan holds the instance of a lease. Redis remembers instances by number, within a part."""
        held = self._held.get(lease_id)
        return 0 if held is None else held[1]

    async def _announce_reported(self, instance: Instance, answer: Awaitable[list[Any]]) -> None:
        self._announce(instance, transition_of(await answer, self._clock.now_us()))

    def _give_back(self) -> None:
        for answer in self._ends.again():
            self._send(answer)

    def _send(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._sent)

    def _sent(self, task: "asyncio.Task[Any]") -> None:
        self._background.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        # While Redis is away its breaker says so, once; the lease is then given back later, or expires.
        if error is not None and not isinstance(error, StateUnavailable):
            _log.error("a report or a withdrawal was lost", exc_info=error)

    def _announce(self, instance: Instance, transition: Transition | None) -> None:
        if transition is not None:
            self._events.publish(CircuitChanged(instance.id, transition))


_conforms: type[Routing] = RedisRouting
