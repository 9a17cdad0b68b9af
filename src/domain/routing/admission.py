"""Which instance of a plan is taken: circuits, cooldowns, limits and turns, decided in one step.

`admit` reads everything first, decides, and writes last. Whoever calls it must let nothing else touch the states
meanwhile: the memory adapter calls it without awaiting, the Redis adapter as one script.
"""

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass

from domain.catalog import Instance
from domain.failure import Cooldown
from domain.identifiers import LeaseId
from domain.resilience.circuit_breaker import CircuitBreakerConfig, Denial, Transition, peek, try_acquire
from domain.routing.decision import Exclusion, Refusal
from domain.routing.instance_state import InstanceState
from domain.routing.smooth_weighted_round_robin import pick
from domain.routing.strategy import Leaf, Node, Ordered, Weighted

Turns = MutableMapping[str, dict[str, int]]
"""Round-robin credits: by a Weighted node's key, then by its children's names."""

StateOf = Callable[[Instance], InstanceState]


@dataclass(frozen=True, slots=True)
class AdmissionRequest:
    """One attempt that wants an instance: `plan` says in which order, `tokens` is charged to its tpm."""

    lease_id: LeaseId
    plan: Node
    tokens: int
    lease_us: int


@dataclass(frozen=True, slots=True)
class Admitted:
    """The instance to call.

    Attributes:
        generation, probe, bucket_s: Go back in the report.
        refusals: Who was passed over on the way.
        transition: The circuit half-opened for this attempt.
    """

    instance: Instance
    generation: int
    probe: bool
    bucket_s: int
    refusals: tuple[Refusal, ...] = ()
    transition: Transition | None = None


@dataclass(frozen=True, slots=True)
class NotAdmitted:
    """No instance of the plan can be taken now; nothing was changed. One refusal for each leaf."""

    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class _Path:
    """A leaf that can be taken, and the turns that are spent on the way to it."""

    leaf: Leaf
    turns: tuple[tuple[str, dict[str, int]], ...] = ()


def admit(
    request: AdmissionRequest, config: CircuitBreakerConfig, state_of: StateOf, turns: Turns, now_us: int
) -> Admitted | NotAdmitted:
    """Takes the first instance of the plan that can be taken, or nothing at all."""
    refusals: list[Refusal] = []

    def resolve(node: Node) -> _Path | None:
        match node:
            case Leaf():
                refusal = _examine(node, request.tokens, config, state_of(node.instance), now_us)
                if refusal is None:
                    return _Path(node)
                refusals.append(refusal)
                return None
            case Ordered():
                return next((path for child in node.children if (path := resolve(child)) is not None), None)
            case Weighted():
                return resolve_weighted(node)

    def resolve_weighted(node: Weighted) -> _Path | None:
        paths = {name: path for name, weight, child in node.children if weight and (path := resolve(child)) is not None}
        if not paths:
            return None
        weights = [(name, weight) for name, weight, _ in node.children if name in paths]
        name, credits_after = pick(weights, turns.get(node.key, {}))
        return _Path(paths[name].leaf, (*paths[name].turns, (node.key, credits_after)))

    path = resolve(request.plan)
    if path is None:
        return NotAdmitted(tuple(refusals))
    turns.update(path.turns)
    return _take(request, path.leaf, config, state_of(path.leaf.instance), tuple(refusals), now_us)


def _examine(
    leaf: Leaf, tokens: int, config: CircuitBreakerConfig, state: InstanceState, now_us: int
) -> Refusal | None:
    """Why the instance can't be taken now; None where it can. Changes nothing."""
    instance = leaf.instance
    if state.drained:
        return Refusal(instance.id, Exclusion.DRAINED)
    answer = peek(config, state.circuit, now_us, last_resort=leaf.last_resort)
    if isinstance(answer, Denial):
        return Refusal(instance.id, answer.reason, answer.retry_after_us)
    bears_with_it = leaf.last_resort and state.cooldown is Cooldown.MISCONFIGURED
    if now_us < state.cooldown_until_us and not bears_with_it:
        return Refusal(instance.id, Exclusion.COOLING_DOWN, state.cooldown_until_us - now_us)
    return _over_a_limit(instance, tokens, state, now_us)


def _over_a_limit(instance: Instance, tokens: int, state: InstanceState, now_us: int) -> Refusal | None:
    limits = instance.limits
    if limits.requests_per_minute is not None:
        requests = state.requests.decide(limits.requests_per_minute, 1, now_us)
        if not requests.allowed:
            return Refusal(instance.id, Exclusion.RPM_LIMIT, requests.retry_after_us)
    if limits.tokens_per_minute is not None:
        decision = state.tokens.decide(limits.tokens_per_minute, tokens, now_us)
        if not decision.allowed:
            return Refusal(instance.id, Exclusion.TPM_LIMIT, decision.retry_after_us)
    if limits.max_parallel is not None and state.leases.live(now_us) >= limits.max_parallel:
        return Refusal(instance.id, Exclusion.MAX_PARALLEL)
    return None


def _take(
    request: AdmissionRequest,
    leaf: Leaf,
    config: CircuitBreakerConfig,
    state: InstanceState,
    refusals: tuple[Refusal, ...],
    now_us: int,
) -> Admitted:
    before = state.circuit.state
    permit, state.circuit = try_acquire(
        config, state.circuit, now_us, request.lease_id, request.lease_us, last_resort=leaf.last_resort
    )
    if isinstance(permit, Denial):  # pragma: no cover - examined in the same step
        raise AssertionError(f"{leaf.instance.id} was examined and then refused")
    state.leases.take(request.lease_id, now_us, request.lease_us)
    bucket_s = state.requests.charge(1, now_us)
    state.tokens.charge(request.tokens, now_us)
    transition = None
    if before is not state.circuit.state:
        transition = Transition(before, state.circuit.state, "a probe is let through", now_us)
    return Admitted(leaf.instance, permit.generation, permit.probe, bucket_s, refusals, transition)
