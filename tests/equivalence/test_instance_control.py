"""Operators, health checks and the traffic of two gateways, in memory and in Lua: every report must be equal."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.outbound.memory.instance_control import MemoryInstanceControl
from adapters.outbound.memory.instance_states import InstanceStates
from adapters.outbound.memory.routing import MemoryRouting
from adapters.outbound.redis.instance_control import RedisInstanceControl
from adapters.outbound.redis.routing import RedisRouting
from adapters.outbound.redis.routing.keys import RoutingKeys
from adapters.testing.doubles import SpyEventSink
from adapters.testing.virtual_time import ManualClock
from application.ports.instance_control import InstanceControl
from application.ports.routing import Routing
from domain.catalog import Instance, InstanceLimits
from domain.durations import MINUTE_US, SECOND_US
from domain.failure import Cooldown
from domain.identifiers import InstanceId, LeaseId, ModelName
from domain.latency import LatencyKind
from domain.resilience.circuit_breaker import CircuitBreakerConfig, CircuitState
from domain.resilience.outcome import Outcome
from domain.routing.admission import AdmissionRequest, Admitted
from domain.routing.instance_report import InstanceReport
from domain.routing.report import AttemptReport
from domain.routing.strategy import Leaf
from tests.equivalence.one_server import OneServer, one_server
from tests.examples import examples

HISTORIES = examples(250)
LEASE_US = 30 * SECOND_US
# Small numbers, so that a history of some dozen steps opens, probes and closes circuits several times.
CONFIG = CircuitBreakerConfig(
    minimum_calls=3,
    window_us=3 * SECOND_US,
    consecutive_failures=2,
    max_open_duration_us=20 * SECOND_US,
    half_open_probes=2,
)
INSTANCES = tuple(
    Instance(InstanceId(name), ModelName("m"), "custom", "u", limits=InstanceLimits(max_parallel=4)) for name in "ab"
)


@dataclass(frozen=True)
class Take:
    leaf: Leaf


@dataclass(frozen=True)
class End:
    which: int
    outcome: Outcome
    kind: LatencyKind
    latency_us: int | None
    jitter: float
    cooldown: tuple[Cooldown, int] | None


@dataclass(frozen=True)
class Observe:
    instance: Instance
    kind: LatencyKind
    sample_us: int


@dataclass(frozen=True)
class Renew:
    which: int


@dataclass(frozen=True)
class Drain:
    instance: Instance
    drained: bool


@dataclass(frozen=True)
class Force:
    instance: Instance
    state: CircuitState | None


@dataclass(frozen=True)
class HalfOpen:
    instance: Instance


Step = Take | End | Observe | Renew | Drain | Force | HalfOpen

NAMED = st.sampled_from(INSTANCES)
KINDS = st.sampled_from(list(LatencyKind))
# The ends of the scale, a bucket's neighbourhood, and what is beyond both ends.
SAMPLES_US = st.one_of(
    st.sampled_from((1, 999, 1_000, 1_001, 600 * SECOND_US, 10**12)), st.integers(1, 700 * SECOND_US)
)
# Spans that meet the ends of leases, open times, rests and minutes exactly are worth more than any others.
PAUSES_US = st.one_of(
    st.sampled_from(
        (0, 0, 1, SECOND_US, 5 * SECOND_US, LEASE_US - 1, LEASE_US, MINUTE_US - 1, MINUTE_US, 5 * MINUTE_US)
    ),
    st.integers(0, 3 * SECOND_US),
)
TAKES = st.builds(Take, st.builds(Leaf, NAMED, st.booleans()))
ENDS = st.builds(
    End,
    st.integers(0, 5),
    st.sampled_from((Outcome.SUCCESS, Outcome.FAILURE, Outcome.FAILURE, Outcome.IGNORED)),
    KINDS,
    st.none() | SAMPLES_US,
    st.floats(0, 1, exclude_max=True),
    st.none() | st.tuples(st.sampled_from(list(Cooldown)), st.integers(1, 20 * SECOND_US)),
)
WISHES = st.sampled_from((CircuitState.OPEN, CircuitState.CLOSED, None, None))
STEPS = st.tuples(
    PAUSES_US,
    st.one_of(
        TAKES,
        TAKES,
        TAKES,
        ENDS,
        ENDS,
        st.builds(Observe, NAMED, KINDS, SAMPLES_US),
        st.builds(Renew, st.integers(0, 5)),
        st.builds(Drain, NAMED, st.sampled_from((True, False, False))),
        st.builds(Force, NAMED, WISHES),
        st.builds(HalfOpen, NAMED),
    ),
)
# Each history has each kind of an operator's step at least once.
HISTORY = st.tuples(
    st.lists(STEPS, min_size=15, max_size=30),
    st.builds(Force, NAMED, st.sampled_from((CircuitState.OPEN, CircuitState.CLOSED))),
    st.lists(STEPS, min_size=5, max_size=10),
    st.builds(Drain, NAMED, st.just(value=True)),
    st.lists(STEPS, min_size=5, max_size=10),
).map(lambda parts: [*parts[0], (0, parts[1]), *parts[2], (0, parts[3]), *parts[4]])


class Side:
    """A control and a routing over one state, with the attempts that were admitted."""

    def __init__(self, control: InstanceControl, routing: Routing, events: SpyEventSink) -> None:
        self._control = control
        self._routing = routing
        self._events = events
        self._held: list[tuple[LeaseId, Admitted]] = []
        self._taken = 0

    async def play(self, step: Step) -> object:
        match step:
            case Take():
                return await self._take(step.leaf)
            case End() if self._held:
                self._end(step, *self._held.pop(step.which % len(self._held)))
            case Observe():
                self._routing.observe_latency(step.instance, step.kind, step.sample_us)
            case Renew() if self._held:
                lease, admitted = self._held[step.which % len(self._held)]
                await self._routing.renew({lease: admitted.instance}, LEASE_US)
            case Drain():
                await self._control.drain(step.instance, step.drained)
            case Force():
                await self._control.force(step.instance, step.state)
            case HalfOpen():
                await self._control.half_open(step.instance)
        return None

    async def seen(self) -> tuple[list[InstanceReport], list[object]]:
        """What an operator is shown, and every transition that was announced."""
        return await self._control.inspect(INSTANCES), list(self._events.events)

    async def _take(self, leaf: Leaf) -> object:
        self._taken += 1
        lease = LeaseId(f"l{self._taken}")
        answer = await self._routing.admit(AdmissionRequest(lease, leaf, 0, LEASE_US))
        if isinstance(answer, Admitted):
            self._held.append((lease, answer))
            return (answer.generation, answer.probe)
        return answer

    def _end(self, step: End, lease: LeaseId, admitted: Admitted) -> None:
        cooldown, cooldown_us = step.cooldown or (None, 0)
        self._routing.report(
            AttemptReport(
                lease_id=lease,
                instance=admitted.instance,
                generation=admitted.generation,
                probe=admitted.probe,
                bucket_s=admitted.bucket_s,
                outcome=step.outcome,
                latency_kind=step.kind,
                latency_us=step.latency_us,
                slow=False,
                tokens_reserved=0,
                tokens_actual=None,
                jitter=step.jitter,
                cooldown=cooldown,
                cooldown_us=cooldown_us,
                cooldown_grows=False,
            )
        )


@pytest.fixture(scope="module")
def server() -> Iterator[OneServer]:
    with one_server() as started:
        yield started


async def replay(server: OneServer, steps: list[tuple[int, Step]], met: Counter[str]) -> None:
    clock, states, prefix = ManualClock(), InstanceStates(), server.new_prefix()
    events, shared_events = SpyEventSink(), SpyEventSink()

    def now() -> str:
        return str(clock.monotonic_us())

    memory = Side(MemoryInstanceControl(states, clock, events), MemoryRouting(CONFIG, clock, events, states), events)
    shared = RedisRouting(server.executor, CONFIG, clock, shared_events, prefix, now)
    control = RedisInstanceControl(server.executor, clock, shared_events, prefix, now)
    lua = Side(control, shared, shared_events)
    for pause_us, step in steps:
        clock.advance(pause_us)
        expected = await memory.play(step)
        assert await lua.play(step) == expected
        await shared.settle()
        seen = await memory.seen()
        assert await lua.seen() == seen
        note(met, step, seen[0])
    await without_ttl_is_what_an_operator_holds(server, prefix, states)


def note(met: Counter[str], step: Step, reports: list[InstanceReport]) -> None:
    met[type(step).__name__] += 1
    met.update(f"{report.circuit.state} forced {report.circuit.forced}" for report in reports)
    met.update(f"because of {report.circuit.reason}" for report in reports)
    met["two kinds"] += any(len(report.latency) == len(LatencyKind) for report in reports)


async def without_ttl_is_what_an_operator_holds(server: OneServer, prefix: str, states: InstanceStates) -> None:
    keys = RoutingKeys(prefix)
    for instance in INSTANCES:
        left_ms = await server.executor.command("PTTL", keys.of(instance).circuit)
        state = states.of(instance)
        assert (left_ms == -1) == (state.drained or state.circuit.forced is not None)


def test_operators_are_shown_the_same_by_memory_and_by_lua(server: OneServer) -> None:
    met: Counter[str] = Counter()

    @settings(max_examples=HISTORIES, deadline=None)
    @given(HISTORY)
    def histories(steps: list[tuple[int, Step]]) -> None:
        server.run(replay(server, steps, met))

    histories()

    # Random or not, the histories must have been where it matters.
    wanted = {f"{state} forced None" for state in CircuitState} | {"open forced open", "closed forced closed"}
    assert wanted | {"Drain", "Force", "HalfOpen", "because of health_check", "Take", "End", "two kinds"} <= {
        name for name, times in met.items() if times
    }
    assert met["Force"] >= HISTORIES
    assert met["Drain"] >= HISTORIES
