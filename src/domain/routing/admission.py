"""Which instance of a plan is taken: circuits, cooldowns, limits and turns decided in one step."""

from dataclasses import dataclass

from domain.catalog import Instance
from domain.failure import Cooldown
from domain.identifiers import LeaseId
from domain.resilience.circuit_breaker import CircuitState
from domain.routing.decision import Refusal
from domain.routing.strategy import Node


@dataclass(frozen=True, slots=True)
class InstanceView:
    """What is known of one instance, possibly some 100 ms old. Absent state reads as a healthy idle instance.

    `latency_us` is decayed to now; None where nothing was measured. `tokens_used` and `requests_used` are of the
    last 60 s. `closed_at_us` is when the circuit last closed; None if it never opened.
    """

    circuit: CircuitState
    open_until_us: int
    closed_at_us: int | None
    cooldown_until_us: int
    cooldown: Cooldown | None
    in_flight: int
    requests_used: int
    tokens_used: int
    latency_us: int | None
    drained: bool = False


@dataclass(frozen=True, slots=True)
class AdmissionRequest:
    """One attempt that wants an instance: `plan` says in which order, `tokens` is charged to its tpm."""

    lease_id: LeaseId
    plan: Node
    tokens: int
    lease_us: int


@dataclass(frozen=True, slots=True)
class Admitted:
    """The instance to call. `generation` and `probe` go back in the report. `refusals`: who was passed over."""

    instance: Instance
    generation: int
    probe: bool
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class NotAdmitted:
    """No instance of the plan can be taken now; nothing was changed. One refusal for each leaf."""

    refusals: tuple[Refusal, ...]
