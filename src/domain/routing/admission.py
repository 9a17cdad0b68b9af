"""Which instance of a plan is taken: circuits, cooldowns, limits and turns, decided in one step.

`admit` reads everything first, decides, and writes last. Whoever calls it must let nothing else touch the states
meanwhile: the memory adapter calls it without awaiting, the Redis adapter as one script.
"""

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass

from domain.catalog import Instance
from domain.failure import Cooldown
from domain.identifiers import LeaseId
from domain.resilience.circuit_breaker import (
    CircuitBreakerConfig,
    Denial,
    Transition,
    peek,
    transition_between,
    try_acquire,
)
from domain.routing.decision import Exclusion, Refusal
from domain.routing.instance_state import InstanceState
from domain.routing.smooth_weighted_round_robin import pick
from domain.routing.strategy import Leaf, Node, Ordered, Weighted, leaves

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
class Turn:
    """A round-robin that was stepped: who was eligible, with which weights, and whose turn it was."""

    key: str
    eligible: tuple[tuple[str, int], ...]
    picked: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """The instance to call.

    Attributes:
        generation, probe, bucket_s: Go back in the report.
        refusals: Who was passed over on the way.
        transition: The circuit half-opened for this attempt.
        degraded: Decided by this gateway alone, without the shared state.
        turns: What a withdrawal gives back; empty where a store remembers it.
    """

    instance: Instance
    generation: int
    probe: bool
    bucket_s: int
    refusals: tuple[Refusal, ...] = ()
    transition: Transition | None = None
    degraded: bool = False
    turns: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True)
class NotAdmitted:
    """No instance of the plan can be taken now; nothing was changed. One refusal for each leaf."""

    refusals: tuple[Refusal, ...]
    degraded: bool = False


@dataclass(frozen=True, slots=True)
class _Path:
    """A leaf that can be taken, and the turns that are spent on the way to it, with the credits after them."""

    leaf: Leaf
    turns: tuple[tuple[Turn, dict[str, int]], ...] = ()


def admit(
    request: AdmissionRequest, config: CircuitBreakerConfig, state_of: StateOf, turns: Turns, now_us: int
) -> Admitted | NotAdmitted:
    """Takes the first instance of the plan that can be taken, or nothing at all."""
    walk = _Walk(request.tokens, config, state_of, turns, now_us)
    path = walk.resolve(request.plan)
    if path is None:
        return NotAdmitted(tuple(walk.refusals))
    turns.update((turn.key, credits_after) for turn, credits_after in path.turns)
    return _take(request, path, config, state_of(path.leaf.instance), tuple(walk.refusals), now_us)


class _Walk:
    """Looks for a leaf that can be taken; changes nothing but its list of refusals."""

    __slots__ = ("_config", "_now_us", "_state_of", "_tokens", "_turns", "refusals")

    def __init__(self, tokens: int, config: CircuitBreakerConfig, state_of: StateOf, turns: Turns, now_us: int) -> None:
        self._tokens = tokens
        self._config = config
        self._state_of = state_of
        self._turns = turns
        self._now_us = now_us
        self.refusals: list[Refusal] = []

    def resolve(self, node: Node) -> _Path | None:
        match node:
            case Leaf():
                return self._resolve_leaf(node)
            case Ordered():
                return next((path for child in node.children if (path := self.resolve(child)) is not None), None)
            case Weighted():
                return self._resolve_weighted(node)

    def _resolve_leaf(self, leaf: Leaf) -> _Path | None:
        state = self._state_of(leaf.instance)
        refusal = _examine(leaf, self._tokens, self._config, state, self._now_us)
        if refusal is None:
            return _Path(leaf)
        self.refusals.append(refusal)
        return None

    def _resolve_weighted(self, node: Weighted) -> _Path | None:
        paths: dict[str, _Path] = {}
        weights: list[tuple[str, int]] = []
        for name, weight, child in node.children:
            if weight <= 0:
                self.refusals.extend(Refusal(leaf.instance.id, Exclusion.ZERO_WEIGHT) for leaf in leaves(child))
            elif (path := self.resolve(child)) is not None:
                paths[name] = path
                weights.append((name, weight))
        if not weights:
            return None
        name, credits_after = pick(weights, self._turns.get(node.key, {}))
        turn = Turn(node.key, tuple(weights), name)
        return _Path(paths[name].leaf, (*paths[name].turns, (turn, credits_after)))


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
    path: _Path,
    config: CircuitBreakerConfig,
    state: InstanceState,
    refusals: tuple[Refusal, ...],
    now_us: int,
) -> Admitted:
    leaf, before = path.leaf, state.circuit
    permit, state.circuit = try_acquire(
        config, state.circuit, now_us, request.lease_id, request.lease_us, last_resort=leaf.last_resort
    )
    if isinstance(permit, Denial):
        raise RuntimeError(f"{leaf.instance.id} was found free and then refused, in one step")  # noqa: TRY004 - a bug
    state.leases.take(request.lease_id, now_us, request.lease_us)
    bucket_s = state.requests.charge(1, now_us)
    state.tokens.charge(request.tokens, now_us)
    transition = transition_between(before, state.circuit, now_us)
    spent = tuple(turn for turn, _ in path.turns)
    return Admitted(leaf.instance, permit.generation, permit.probe, bucket_s, refusals, transition, turns=spent)
