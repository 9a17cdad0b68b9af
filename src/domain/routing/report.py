"""What an attempt reports when it ends."""

from dataclasses import dataclass

from domain.catalog import Instance
from domain.failure import Cooldown
from domain.identifiers import LeaseId
from domain.latency import LatencyKind
from domain.resilience.outcome import Outcome

__all__ = ["AttemptReport", "Outcome"]


@dataclass(frozen=True, slots=True)
class AttemptReport:
    """What an admitted attempt came to.

    `tokens_reserved` as admitted, `tokens_actual` None where unknown (the reservation stands then).
    `latency_us`: None where it tells nothing; of a failure or a cancelled attempt it only ever raises the estimate.
    `slow`: counts as a slow call. `cooldown_us` 0: none. `jitter`: uniform in [0, 1), spreads the open time.
    """

    lease_id: LeaseId
    instance: Instance
    generation: int
    probe: bool
    outcome: Outcome
    latency_kind: LatencyKind
    latency_us: int | None
    tokens_reserved: int
    tokens_actual: int | None
    jitter: float
    cooldown: Cooldown | None = None
    cooldown_us: int = 0
    slow: bool = False
