"""What people are told of one instance: its circuit, its load, its latency."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.failure import Cooldown
from domain.latency import LatencyKind, Percentiles
from domain.resilience.circuit_breaker import Circuit, CircuitState
from domain.routing.instance_state import InstanceState


@dataclass(frozen=True, slots=True)
class CircuitReport:
    """A circuit as it stands. Times in microseconds since the Unix epoch.

    Attributes:
        opened_at_us: Since when it has not been closed; None where it is closed.
        next_probe_at_us: When an open one may be probed (in the past where it waits for a request); else None.
        reason: Of its latest transition; empty where there was none.
        forced: What an operator forced it to be; None where outcomes decide.
    """

    state: CircuitState = CircuitState.CLOSED
    opened_at_us: int | None = None
    next_probe_at_us: int | None = None
    reason: str = ""
    forced: CircuitState | None = None


@dataclass(frozen=True, slots=True)
class InstanceReport:
    """One instance as it stands. The default is that of an idle one that was never heard of.

    Attributes:
        cooldown_until_us: Microseconds since the Unix epoch; None exactly where `cooldown` is.
        latency: Percentiles of the last five minutes; kinds without a sample are left out.
    """

    circuit: CircuitReport = field(default=CircuitReport())
    in_flight: int = 0
    drained: bool = False
    cooldown: Cooldown | None = None
    cooldown_until_us: int | None = None
    latency: Mapping[LatencyKind, Percentiles] = field(default_factory=dict)


def report_of(state: InstanceState, now_us: int, epoch_us: int) -> InstanceReport:
    """The report of `state` at `now_us`; adding `epoch_us` to a time of the state gives the time since the epoch."""
    rests = now_us < state.cooldown_until_us
    percentiles = {kind: sketch.percentiles(now_us) for kind, sketch in state.sketches.items()}
    return InstanceReport(
        circuit=_circuit(state.circuit, epoch_us),
        in_flight=state.leases.live(now_us),
        drained=state.drained,
        cooldown=state.cooldown if rests else None,
        cooldown_until_us=state.cooldown_until_us + epoch_us if rests else None,
        latency={kind: found for kind, found in percentiles.items() if found.count},
    )


def _circuit(circuit: Circuit, epoch_us: int) -> CircuitReport:
    opened = circuit.opened_at_us is not None and circuit.state is not CircuitState.CLOSED
    probed = circuit.state is CircuitState.OPEN and circuit.forced is None
    return CircuitReport(
        state=circuit.state,
        opened_at_us=(circuit.opened_at_us or 0) + epoch_us if opened else None,
        next_probe_at_us=circuit.open_until_us + epoch_us if probed else None,
        reason=circuit.reason,
        forced=circuit.forced,
    )
