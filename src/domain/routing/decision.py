"""Why a request went where it went: candidates, exclusions, attempts. Kept for the decision trace."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

from domain.chat import Usage
from domain.identifiers import InstanceId, ModelName, RequestId
from domain.limits.admission import Standing


class Exclusion(StrEnum):
    """Why an instance was no candidate, or was not admitted."""

    DISABLED = "disabled"
    DRAINED = "drained"
    NOT_ALLOWED = "not_allowed"
    TAG_MISMATCH = "tag_mismatch"
    UNSUPPORTED = "unsupported_operation"
    CONTEXT_WINDOW = "context_window"
    UNPRICED = "unpriced"
    ALREADY_TRIED = "already_tried"
    CIRCUIT_OPEN = "circuit_open"
    PROBES_IN_FLIGHT = "probes_in_flight"
    COOLING_DOWN = "cooling_down"
    RPM_LIMIT = "rpm_limit"
    TPM_LIMIT = "tpm_limit"
    MAX_PARALLEL = "max_parallel"
    ZERO_WEIGHT = "zero_weight"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One instance that could not be taken, why, and when it may be again (None: not by waiting)."""

    instance_id: InstanceId
    reason: Exclusion
    retry_after_us: int | None = None


MOST_CANDIDATES = 32
"""As many are told of one request; of models with hundreds of instances, the first of each attempt."""
MOST_EXCLUSIONS = 32
MOST_MODEL_CHARACTERS = 300


@dataclass(slots=True)
class Candidate:
    """An instance that an attempt might have gone to, as it looked when the plan was made.

    Attributes:
        attempt: Which attempt, from 1.
        weight_factor: Below 1 for a while after its circuit closed.
        in_flight, latency_us: What strategies compare.
    """

    attempt: int
    instance_id: InstanceId
    priority: int
    weight_milli: int
    circuit: str
    weight_factor: float = 1.0
    cooldown: str | None = None
    in_flight: int = 0
    latency_us: int | None = None


@dataclass(slots=True)
class AttemptTrace:
    """One call to a provider. `outcome` is `success`, `cancelled` or a FailureKind's value.

    `usage`: what it used, where that is known. `admission_us`: how long it took to be admitted, before it began.
    """

    number: int
    model: ModelName
    instance_id: InstanceId
    provider: str
    started_us: int
    probe: bool = False
    duration_us: int | None = None
    first_content_us: int | None = None
    outcome: str | None = None
    status: int | None = None
    message: str | None = None
    usage: Usage | None = None
    cost_nano: int = 0
    admission_us: int | None = None


@dataclass(slots=True)
class DecisionTrace:
    """The story of one request, filled in as it goes. Times are microseconds since the epoch.

    Attributes:
        account: Whose limits and budgets it counted against.
        caller: Who asked, unique among all callers.
        cache: `hit`, `miss` or `bypass`; None where there is no cache.
        stored_us: When the reply that it got was stored; None where that came from a provider.
        replayed: It is the stored reply to an earlier request with the same `Idempotency-Key`.
        usage: What its last attempt used, where that is known.
        degraded: What was decided without its store, as `x-moongate-degraded` says.
        limits: How the caller's limits stood after this request, or the one that refused it.
        candidates: Whom the attempts could have gone to; why others were none is in `exclusions`.
        more_exclusions: So many were left out when it was shortened.
        strategy: How one of a model's instances is picked.
        route_strategy: How one of a route's models is; None without a route.
        budgets: Soft budgets that are nearly spent or beyond, such as `team:T=83%`.
    """

    request_id: RequestId
    requested_model: str
    endpoint: str
    stream: bool
    started_us: int
    account: str = ""
    caller: str = ""
    client_request_id: str | None = None
    route: str | None = None
    attempts: list[AttemptTrace] = field(default_factory=list)
    exclusions: list[Refusal] = field(default_factory=list)
    models_visited: list[ModelName] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    outcome: str | None = None
    finished_us: int | None = None
    cost_nano: int | None = None
    cache: str | None = None
    stored_us: int | None = None
    replayed: bool = False
    usage: Usage | None = None
    degraded: tuple[str, ...] = ()
    limits: tuple[Standing, ...] = ()
    budgets: tuple[str, ...] = ()
    candidates: list[Candidate] = field(default_factory=list)
    strategy: str = ""
    route_strategy: str | None = None
    more_exclusions: int = 0

    def shortened(self) -> Self:
        """As it is remembered: itself, unless it has more exclusions or a longer name than anybody needs."""
        more = len(self.exclusions) - MOST_EXCLUSIONS
        if more <= 0 and len(self.requested_model) <= MOST_MODEL_CHARACTERS:
            return self
        return replace(
            self,
            requested_model=self.requested_model[:MOST_MODEL_CHARACTERS],
            exclusions=self.exclusions[:MOST_EXCLUSIONS],
            more_exclusions=max(0, more),
        )
