"""Everything that is known and counted of one instance, and how a report changes it."""

from dataclasses import dataclass, field

from domain.failure import MAX_COOLDOWN_US, Cooldown
from domain.identifiers import LeaseId
from domain.latency import LatencyKind, PeakEwma, SlidingSketch, observe, observe_failure, observe_lower_bound, read
from domain.limits.leases import Leases
from domain.limits.sliding_window import SlidingWindow
from domain.resilience import circuit_breaker
from domain.resilience.circuit_breaker import (
    Circuit,
    CircuitBreakerConfig,
    CircuitState,
    Transition,
    is_due,
    record,
    slow_start_factor,
)
from domain.resilience.outcome import Outcome
from domain.routing.decision import Exclusion
from domain.routing.report import AttemptReport

_MOST_DOUBLINGS = 9


@dataclass(slots=True)
class InstanceState:
    """The shared state of one instance. The default is that of a healthy, idle, unknown one.

    Mutable: it is changed only by `admit` and the functions below, each within one atomic step.
    """

    circuit: Circuit = field(default_factory=Circuit)
    cooldown: Cooldown | None = None
    cooldown_until_us: int = 0
    guessed_rests: int = 0
    drained: bool = False
    requests: SlidingWindow = field(default_factory=SlidingWindow)
    tokens: SlidingWindow = field(default_factory=SlidingWindow)
    leases: Leases = field(default_factory=Leases)
    latency: dict[LatencyKind, PeakEwma] = field(default_factory=dict)
    sketches: dict[LatencyKind, SlidingSketch] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InstanceView:
    """What routing needs to know of an instance, possibly some 100 ms old.

    Attributes:
        due: An open circuit whose time has come: the next request probes it.
        weight_factor: 0.1 to 1; below 1 for a while after its circuit closed (slow start).
        requests_used, tokens_used: Of the last 60 s.
        latency_us: Estimate decayed to now; None where nothing was measured.
        taken_out: How an operator took it out: DRAINED, or CIRCUIT_OPEN where it was forced; None where it was not.
    """

    circuit: CircuitState
    due: bool
    open_until_us: int
    cooldown: Cooldown | None
    weight_factor: float
    in_flight: int
    requests_used: int
    tokens_used: int
    latency_us: int | None
    taken_out: Exclusion | None = None


def view(state: InstanceState, config: CircuitBreakerConfig, kind: LatencyKind, now_us: int) -> InstanceView:
    """A picture of the state at `now_us`."""
    circuit = state.circuit
    return InstanceView(
        circuit=circuit.state,
        due=is_due(circuit, now_us),
        open_until_us=circuit.open_until_us,
        cooldown=state.cooldown if now_us < state.cooldown_until_us else None,
        weight_factor=slow_start_factor(config, circuit, now_us),
        in_flight=state.leases.live(now_us),
        requests_used=state.requests.used(now_us),
        tokens_used=state.tokens.used(now_us),
        latency_us=read(state.latency.get(kind), now_us),
        taken_out=taken_out(drained=state.drained, forced_open=circuit.forced is CircuitState.OPEN),
    )


def taken_out(*, drained: bool, forced_open: bool) -> Exclusion | None:
    """How an operator took an instance out."""
    if drained:
        return Exclusion.DRAINED
    return Exclusion.CIRCUIT_OPEN if forced_open else None


def observe_success(state: InstanceState, kind: LatencyKind, sample_us: int, now_us: int) -> None:
    """Feeds a success into estimate and percentiles."""
    state.latency[kind] = observe(state.latency.get(kind), sample_us, now_us)
    state.sketches.setdefault(kind, SlidingSketch()).add(sample_us, now_us)


def renew(state: InstanceState, lease_id: LeaseId, span_us: int, now_us: int) -> None:
    """Extends a live lease, and the probe permit that goes with it."""
    if not state.leases.renew(lease_id, now_us, span_us):
        return
    if state.circuit.probes:
        state.circuit = circuit_breaker.renew(state.circuit, now_us, lease_id, span_us)


def apply(state: InstanceState, config: CircuitBreakerConfig, report: AttemptReport, now_us: int) -> Transition | None:
    """Gives back what the attempt held and learns from it; the circuit's transition, if it made one.

    Repeated, or after its lease expired, it changes nothing.
    """
    if not state.leases.release(report.lease_id, now_us):
        return None
    if report.tokens_actual is not None:
        state.tokens.settle(report.bucket_s, report.tokens_actual - report.tokens_reserved)
    _rest(state, report, now_us)
    _learn_latency(state, report, now_us)
    transition, state.circuit = record(
        config,
        state.circuit,
        now_us,
        permit_id=report.lease_id,
        generation=report.generation,
        outcome=report.outcome,
        slow=report.slow,
        jitter=report.jitter,
    )
    return transition


def _rest(state: InstanceState, report: AttemptReport, now_us: int) -> None:
    """Sends the instance to rest, or ends a rest that a success has proved needless.

    Guesses double up to the longest rest. Those that come in while it rests already were sent before, and tell
    nothing of whether the rest is long enough.
    """
    if report.outcome is Outcome.SUCCESS:
        state.guessed_rests = 0
        if state.cooldown is Cooldown.MISCONFIGURED:
            state.cooldown, state.cooldown_until_us = None, 0
    span_us = report.cooldown_us
    if report.cooldown_grows and now_us >= state.cooldown_until_us:
        span_us = min(span_us << min(state.guessed_rests, _MOST_DOUBLINGS), MAX_COOLDOWN_US)
        state.guessed_rests += 1
    if span_us and now_us + span_us >= state.cooldown_until_us:
        state.cooldown, state.cooldown_until_us = report.cooldown, now_us + span_us


def _learn_latency(state: InstanceState, report: AttemptReport, now_us: int) -> None:
    if report.latency_us is None:
        return
    kind, before = report.latency_kind, state.latency.get(report.latency_kind)
    match report.outcome:
        case Outcome.SUCCESS:
            observe_success(state, kind, report.latency_us, now_us)
        case Outcome.FAILURE:
            state.latency[kind] = observe_failure(before, report.latency_us, now_us)
        case Outcome.IGNORED:
            raised = observe_lower_bound(before, report.latency_us, now_us)
            if raised is not None:
                state.latency[kind] = raised
