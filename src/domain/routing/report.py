"""What an attempt reports when it ends."""

from dataclasses import dataclass

from domain.catalog import Instance
from domain.failure import Cooldown
from domain.identifiers import LeaseId
from domain.latency import LatencyKind
from domain.resilience.outcome import Outcome


@dataclass(frozen=True, slots=True)
class AttemptReport:
    """What an admitted attempt came to.

    Attributes:
        generation, probe, bucket_s: As admitted.
        latency_us: Of a success: the whole reply, or None where the first content was observed before. Of a failure
            or a cancelled attempt: the time spent, which only ever raises the estimate.
        slow: It counts as a slow call.
        tokens_reserved: As admitted.
        tokens_actual: What it used; None where unknown: the reservation stands.
        jitter: Uniform in [0, 1); spreads the time a circuit stays open.
        cooldown_us: How long the instance rests; 0 where it does not.
        cooldown_grows: That is a guess: doubled for each guess before it that was too short.
    """

    lease_id: LeaseId
    instance: Instance
    generation: int
    probe: bool
    bucket_s: int
    outcome: Outcome
    latency_kind: LatencyKind
    latency_us: int | None
    slow: bool
    tokens_reserved: int
    tokens_actual: int | None
    jitter: float
    cooldown: Cooldown | None = None
    cooldown_us: int = 0
    cooldown_grows: bool = False
