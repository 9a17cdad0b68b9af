"""The state of one instance's circuit, and the moves it can make."""

from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from domain.identifiers import LeaseId
from domain.resilience.outcome_window import EMPTY, OutcomeWindow


class CircuitState(StrEnum):
    """CLOSED lets everything through, OPEN nothing, HALF_OPEN a few probes."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class TransitionReason(StrEnum):
    """Why a circuit changed state. Stands in traces and metrics."""

    CONSECUTIVE_FAILURES = "consecutive_failures"
    FAILURE_RATE = "failure_rate"
    SLOW_CALL_RATE = "slow_call_rate"
    DUE = "due"
    LAST_RESORT = "last_resort"
    PROBE_FAILED = "probe_failed"
    PROBES_SUCCEEDED = "probes_succeeded"
    FORCED = "forced"
    HEALTH_CHECK = "health_check"


@dataclass(frozen=True, slots=True)
class Transition:
    """A circuit changed state."""

    before: CircuitState
    after: CircuitState
    reason: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Circuit:
    """All that is remembered of one circuit. `Circuit()` is the initial state: closed, nothing known.

    All times are of one clock that does not step back.

    Attributes:
        generation: Counts transitions. Compare it for equality only: a restored store may bring back a lower one.
        window: Outcomes since the circuit last changed state; only a closed circuit collects them.
        opens: How often it opened without lasting success in between; the exponent of the open time.
        opened_at_us: When it last opened; None if it never did.
        open_until_us: From then on it may be probed; meaningless unless it is open or half-open.
        closed_at_us: When it last closed; None if it never opened.
        probes: Permits in flight as `(permit_id, expires_us)`; only a half-open circuit has any.
        early: The newest probe was a last resort before `open_until_us`: its failure costs nothing more.
        forced: What an operator forced it to be; outcomes move nothing then.
    """

    state: CircuitState = CircuitState.CLOSED
    generation: int = 0
    window: OutcomeWindow = EMPTY
    consecutive_failures: int = 0
    opens: int = 0
    opened_at_us: int | None = None
    open_until_us: int = 0
    closed_at_us: int | None = None
    probes: tuple[tuple[LeaseId, int], ...] = ()
    probe_successes: int = 0
    early: bool = False
    reason: str = ""
    forced: CircuitState | None = None


LEGAL_MOVES = MappingProxyType(
    {
        CircuitState.CLOSED: frozenset({CircuitState.OPEN}),
        CircuitState.OPEN: frozenset({CircuitState.HALF_OPEN}),
        CircuitState.HALF_OPEN: frozenset({CircuitState.CLOSED, CircuitState.OPEN}),
    }
)
OPERATORS_MOVES = MappingProxyType(
    LEGAL_MOVES | {CircuitState.OPEN: frozenset({CircuitState.HALF_OPEN, CircuitState.CLOSED})}
)


def move(circuit: Circuit, after: CircuitState, reason: TransitionReason) -> Circuit:
    """The circuit in its next state, in a new generation, without the evidence and permits of the old one.

    Raises:
        ValueError: The move is not in the table: an operator may close an open circuit, nobody else.
    """
    moves = OPERATORS_MOVES if reason is TransitionReason.FORCED else LEGAL_MOVES
    if after not in moves[circuit.state]:
        raise ValueError(f"a circuit cannot go from {circuit.state} to {after} ({reason})")
    return replace(
        circuit,
        state=after,
        generation=circuit.generation + 1,
        window=EMPTY,
        consecutive_failures=0,
        probes=(),
        probe_successes=0,
        early=False,
        reason=reason,
    )


def transition_between(before: Circuit, after: Circuit, now_us: int) -> Transition | None:
    """What happened between two versions one step apart; None where the state is the same."""
    if before.generation == after.generation:
        return None
    return Transition(before.state, after.state, after.reason, now_us)
