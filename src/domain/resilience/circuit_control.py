"""What moves a circuit besides the calls it guards: operators and health checks."""

from dataclasses import replace

from domain.resilience.circuit import Circuit, CircuitState, TransitionReason, move
from domain.resilience.outcome_window import EMPTY


def force(circuit: Circuit, state: CircuitState | None, now_us: int) -> Circuit:
    """The circuit as an operator wants it: OPEN or CLOSED until further notice, or None for automatic again.

    Forced OPEN is never probed. Back to automatic, it is due for a probe; forced CLOSED forgets earlier trouble.

    Raises:
        ValueError: HALF_OPEN cannot be forced.
    """
    match state:
        case CircuitState.HALF_OPEN:
            raise ValueError("a circuit can be forced open or closed, not half-open")
        case None:
            return circuit if circuit.forced is None else replace(circuit, forced=None)
        case CircuitState.OPEN:
            forced = circuit if circuit.state is state else move(circuit, state, TransitionReason.FORCED)
            opened_at_us = circuit.opened_at_us if forced is circuit else now_us
            return replace(forced, forced=state, opened_at_us=opened_at_us, open_until_us=now_us)
        case CircuitState.CLOSED:
            forced = circuit if circuit.state is state else move(circuit, state, TransitionReason.FORCED)
            closed_at_us = circuit.closed_at_us if forced is circuit else now_us
            fresh = replace(forced, window=EMPTY, consecutive_failures=0, opens=0)
            return replace(fresh, forced=state, closed_at_us=closed_at_us)


def half_open(circuit: Circuit, now_us: int) -> Circuit:
    """An open circuit half-opens because a health check passed: the next requests probe it. Any other stays as it is.

    Its open time is over then: a probe that fails opens it for longer, as one that came in time would have.
    """
    if circuit.state is not CircuitState.OPEN or circuit.forced is not None:
        return circuit
    moved = move(circuit, CircuitState.HALF_OPEN, TransitionReason.HEALTH_CHECK)
    return replace(moved, open_until_us=min(circuit.open_until_us, now_us))
