"""The circuit breaker of one instance: who may call it, and what follows from how the call went.

The triggers are resilience4j's (failure rate, slow-call rate, minimum calls) plus failures in a row, the open times
grow as Envoy's ejections do. Probes are leases: one that never reports expires, so it can't wedge the circuit.
"""

from dataclasses import dataclass, replace

from domain.identifiers import LeaseId
from domain.resilience.circuit import Circuit, CircuitState, Transition, TransitionReason, move, transition_between
from domain.resilience.circuit_breaker_config import CircuitBreakerConfig
from domain.resilience.circuit_control import force, half_open
from domain.resilience.outcome import Outcome
from domain.resilience.outcome_window import OutcomeWindow, add
from domain.resilience.slow_start import slow_start_factor
from domain.routing.decision import Exclusion

__all__ = [
    "Circuit",
    "CircuitBreakerConfig",
    "CircuitState",
    "Denial",
    "Permit",
    "Transition",
    "TransitionReason",
    "force",
    "half_open",
    "is_due",
    "max_open",
    "peek",
    "record",
    "release",
    "renew",
    "slow_start_factor",
    "transition_between",
    "try_acquire",
]

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Permit:
    """The call may be made. `generation` goes back in the record."""

    generation: int
    probe: bool


@dataclass(frozen=True, slots=True)
class Denial:
    """The call may not be made. `retry_after_us`: a span; None where waiting does not help."""

    reason: Exclusion
    retry_after_us: int | None


def peek(config: CircuitBreakerConfig, circuit: Circuit, now_us: int, *, last_resort: bool = False) -> Permit | Denial:
    """What `try_acquire` would answer to somebody who holds no permit yet."""
    if circuit.state is CircuitState.CLOSED:
        return Permit(circuit.generation, probe=False)
    if circuit.state is CircuitState.OPEN:
        if circuit.forced is not None:
            return Denial(Exclusion.CIRCUIT_OPEN, None)
        if last_resort or now_us >= circuit.open_until_us:
            return Permit(circuit.generation + 1, probe=True)
        return Denial(Exclusion.CIRCUIT_OPEN, circuit.open_until_us - now_us)
    live = [expires_us for _, expires_us in circuit.probes if expires_us > now_us]
    if len(live) >= config.half_open_probes:
        # A permit outlasts its call by far; most probes have reported by the time a first open time has passed.
        return Denial(Exclusion.PROBES_IN_FLIGHT, min(min(live) - now_us, config.open_duration_us))
    return Permit(circuit.generation, probe=True)


def try_acquire(
    config: CircuitBreakerConfig,
    circuit: Circuit,
    now_us: int,
    permit_id: LeaseId,
    permit_us: int,
    *,
    last_resort: bool = False,
) -> tuple[Permit | Denial, Circuit]:
    """A permit to call, or why not, and the circuit afterwards (the same object where nothing changed).

    A probe's permit lasts `permit_us`, then its place is free again. Whoever holds one is answered as before.
    `last_resort`: nothing else can be called, so an open circuit is probed before its time.
    """
    if circuit.probes and _holds_probe(circuit, permit_id, now_us):
        return Permit(circuit.generation, probe=True), circuit
    answer = peek(config, circuit, now_us, last_resort=last_resort)
    if isinstance(answer, Denial) or not answer.probe:
        return answer, circuit
    early = now_us < circuit.open_until_us
    if circuit.state is CircuitState.OPEN:
        circuit = move(circuit, CircuitState.HALF_OPEN, TransitionReason.LAST_RESORT if early else TransitionReason.DUE)
    live = tuple(probe for probe in circuit.probes if probe[1] > now_us)
    return answer, replace(circuit, probes=(*live, (permit_id, now_us + permit_us)), early=early)


def renew(circuit: Circuit, now_us: int, permit_id: LeaseId, permit_us: int) -> Circuit:
    """The circuit with a probe's permit extended to `permit_us` from now, where it is still held."""
    if not _holds_probe(circuit, permit_id, now_us):
        return circuit
    renewed = (permit_id, now_us + permit_us)
    return replace(circuit, probes=tuple(renewed if probe[0] == permit_id else probe for probe in circuit.probes))


def release(circuit: Circuit, permit_id: LeaseId) -> Circuit:
    """The circuit without a probe's permit: its place is free again. That is no outcome."""
    if not circuit.probes:
        return circuit
    kept = tuple(probe for probe in circuit.probes if probe[0] != permit_id)
    return circuit if len(kept) == len(circuit.probes) else replace(circuit, probes=kept)


def record(
    config: CircuitBreakerConfig,
    circuit: Circuit,
    now_us: int,
    *,
    permit_id: LeaseId,
    generation: int,
    outcome: Outcome,
    slow: bool,
    jitter: float,
) -> tuple[Transition | None, Circuit]:
    """The circuit after a call has ended, and the transition it made, if any.

    A report of another generation, of a probe whose permit has run out, of an ignored outcome, or on a forced circuit
    moves nothing; it only gives back the permit. A slow success of a probe is a success: the instance answers.
    `jitter`, uniform in [0, 1), spreads the open time.
    """
    freed = release(circuit, permit_id)
    if generation != circuit.generation or outcome is Outcome.IGNORED or circuit.forced is not None:
        return None, freed
    if circuit.state is CircuitState.CLOSED:
        after = _count(config, circuit, now_us, outcome is Outcome.FAILURE, slow, jitter)
    elif not _holds_probe(circuit, permit_id, now_us):
        return None, freed
    elif outcome is Outcome.SUCCESS:
        after = _probe_succeeded(config, freed, now_us)
    else:
        after = _probe_failed(config, freed, now_us, jitter)
    return transition_between(circuit, after, now_us), after


def is_due(circuit: Circuit, now_us: int) -> bool:
    """Whether it is open and the next request may probe it."""
    return circuit.state is CircuitState.OPEN and circuit.forced is None and now_us >= circuit.open_until_us


def max_open(config: CircuitBreakerConfig, members: int) -> int:
    """How many of a model's `members` may be out of rotation; any other open one is a last resort. At least 1."""
    return max(1, int(members * config.max_open_fraction + _ROUNDING))


def _count(
    config: CircuitBreakerConfig, circuit: Circuit, now_us: int, failed: bool, slow: bool, jitter: float
) -> Circuit:
    window = add(config.window_us, circuit.window, now_us, failed=failed, slow=slow)
    consecutive_failures = circuit.consecutive_failures + 1 if failed else 0
    reason = _trigger(config, window, consecutive_failures)
    if reason is not None:
        return _open(circuit, now_us, reason, circuit.opens + 1, config.jittered_open_us(circuit.opens + 1, jitter))
    opens = circuit.opens
    if opens and not failed and now_us - (circuit.closed_at_us or 0) >= config.max_open_duration_us:
        opens = 0
    # Spelled out because it runs on every call: `replace` costs three times as much.
    return Circuit(
        circuit.state,
        circuit.generation,
        window,
        consecutive_failures,
        opens,
        circuit.opened_at_us,
        circuit.open_until_us,
        circuit.closed_at_us,
        reason=circuit.reason,
    )


def _trigger(config: CircuitBreakerConfig, window: OutcomeWindow, consecutive_failures: int) -> TransitionReason | None:
    if consecutive_failures >= config.consecutive_failures:
        return TransitionReason.CONSECUTIVE_FAILURES
    if window.calls < config.minimum_calls:
        return None
    if window.failures >= config.failure_rate * window.calls:
        return TransitionReason.FAILURE_RATE
    if window.slow >= config.slow_call_rate * window.calls:
        return TransitionReason.SLOW_CALL_RATE
    return None


def _open(circuit: Circuit, now_us: int, reason: TransitionReason, opens: int, span_us: int) -> Circuit:
    moved = move(circuit, CircuitState.OPEN, reason)
    return replace(moved, opens=opens, opened_at_us=now_us, open_until_us=now_us + span_us)


def _probe_succeeded(config: CircuitBreakerConfig, circuit: Circuit, now_us: int) -> Circuit:
    successes = circuit.probe_successes + 1
    if successes < config.probes_to_close:
        return replace(circuit, probe_successes=successes)
    # `opens` stays: an instance that fails again soon is flapping and must rest longer. `_count` resets it.
    return replace(move(circuit, CircuitState.CLOSED, TransitionReason.PROBES_SUCCEEDED), closed_at_us=now_us)


def _probe_failed(config: CircuitBreakerConfig, circuit: Circuit, now_us: int, jitter: float) -> Circuit:
    if not circuit.early:
        opens = circuit.opens + 1
        return _open(circuit, now_us, TransitionReason.PROBE_FAILED, opens, config.jittered_open_us(opens, jitter))
    rest_us = circuit.open_until_us - now_us
    if rest_us <= 0:
        # It failed after the open time had run out: without a new one it would be probed again at once.
        rest_us = config.jittered_open_us(circuit.opens, jitter)
    return _open(circuit, now_us, TransitionReason.PROBE_FAILED, circuit.opens, rest_us)


def _holds_probe(circuit: Circuit, permit_id: LeaseId, now_us: int) -> bool:
    return any(holder == permit_id and expires_us > now_us for holder, expires_us in circuit.probes)
