"""The same random history on the memory adapter and on Lua: every answer and every picture must be equal."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.outbound.memory.routing import MemoryRouting
from adapters.outbound.redis.connection import connect
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.lua_scripts import all_scripts
from adapters.outbound.redis.routing import RedisRouting
from adapters.outbound.redis.routing.keys import RoutingKeys
from adapters.outbound.redis.store_breaker import StoreBreaker
from adapters.outbound.system.clock import SystemClock
from adapters.testing.doubles import SpyEventSink
from adapters.testing.virtual_time import ManualClock
from application.ports.routing import Routing
from domain.catalog import Instance, InstanceLimits
from domain.durations import SECOND_US
from domain.failure import Cooldown
from domain.identifiers import InstanceId, LeaseId, ModelName
from domain.latency import LatencyKind
from domain.resilience.circuit_breaker import CircuitBreakerConfig
from domain.resilience.outcome import Outcome
from domain.routing.admission import AdmissionRequest, Admitted
from domain.routing.report import AttemptReport
from domain.routing.strategy import Leaf, Node, Ordered, Weighted
from tests.examples import examples
from tests.servers.fixtures import PATIENT
from tests.servers.redis_servers import standalone, valkey_binary

HISTORIES = examples(200)
LEASE_US = 30 * SECOND_US
# Small numbers, so that a history of some dozen steps opens, probes and closes circuits several times.
CONFIG = CircuitBreakerConfig(
    minimum_calls=3, window_us=3 * SECOND_US, consecutive_failures=2, max_open_duration_us=20 * SECOND_US
)

_numbers = count(1)


def _instance(name: str, *limits: int | None) -> Instance:
    return Instance(InstanceId(name), ModelName("m"), "custom", "u", limits=InstanceLimits(*limits))


INSTANCES = (_instance("a"), _instance("b", 12, 300, 3))


def _height(node: Node) -> int:
    match node:
        case Leaf():
            return 0
        case Ordered():
            return max(_height(child) for child in node.children)
        case Weighted():
            return 1 + max(_height(child) for _, _, child in node.children)


LEAVES = st.builds(Leaf, st.sampled_from(INSTANCES), st.booleans())


def _named(children: list[tuple[int, Node]], letter: str) -> Weighted:
    # No round-robin stands below one of the same name: a turn is taken once on the way to an instance.
    key = f"{letter}{max(_height(child) for _, child in children)}"
    return Weighted(key, tuple((f"n{place}", weight, child) for place, (weight, child) in enumerate(children)))


PLANS: st.SearchStrategy[Node] = st.recursive(
    LEAVES,
    lambda nodes: st.one_of(
        st.builds(lambda children: Ordered(tuple(children)), st.lists(nodes, min_size=1, max_size=3)),
        st.builds(
            _named,
            st.lists(st.tuples(st.sampled_from((0, 1, 500, 1_000, 2_750)), nodes), min_size=1, max_size=3),
            st.sampled_from(("x", "y", "z")),
        ),
    ),
    max_leaves=5,
)

# Spans that meet the boundaries of windows, leases, rests and open times exactly are worth more than any others.
SPANS_US = st.one_of(
    st.sampled_from((0, 0, 1, SECOND_US, 2_500_000, 5 * SECOND_US, 10 * SECOND_US, 30 * SECOND_US, 61 * SECOND_US)),
    st.integers(0, 3 * SECOND_US),
)


@dataclass(frozen=True)
class Take:
    plan: Node
    tokens: int


@dataclass(frozen=True)
class End:
    which: int
    outcome: Outcome
    latency_us: int | None
    slow: bool
    tokens: int | None
    jitter: float
    cooldown: tuple[Cooldown, int, bool] | None


@dataclass(frozen=True)
class Withdraw:
    which: int


@dataclass(frozen=True)
class Renew:
    which: int


@dataclass(frozen=True)
class Observe:
    instance: Instance
    kind: LatencyKind
    sample_us: int


ENDS = st.builds(
    End,
    st.integers(0, 5),
    st.sampled_from((Outcome.SUCCESS, Outcome.FAILURE, Outcome.FAILURE, Outcome.IGNORED)),
    st.one_of(st.none(), st.integers(1, 700 * SECOND_US)),
    st.booleans(),
    st.one_of(st.none(), st.integers(0, 300)),
    st.floats(0, 1, exclude_max=True),
    st.one_of(st.none(), st.tuples(st.sampled_from(list(Cooldown)), st.integers(1, 20 * SECOND_US), st.booleans())),
)
STEPS = st.tuples(
    SPANS_US,
    st.one_of(
        st.builds(Take, PLANS, st.sampled_from((0, 20, 60, 120, 150))),
        st.builds(Take, LEAVES, st.just(20)),
        st.builds(Take, LEAVES, st.just(20)),
        ENDS,
        ENDS,
        ENDS,
        st.builds(Renew, st.integers(0, 5)),
        st.builds(Withdraw, st.integers(0, 5)),
        st.builds(Withdraw, st.integers(0, 5)),
        st.builds(Observe, st.sampled_from(INSTANCES), st.sampled_from(list(LatencyKind)), st.integers(1, 10**9)),
    ),
)
Step = tuple[int, Take | End | Renew | Withdraw | Observe]


@dataclass
class Side:
    """One adapter, with the attempts that it admitted."""

    routing: Routing
    events: SpyEventSink
    held: list[tuple[AdmissionRequest, Admitted]] = field(default_factory=list)
    taken: int = 0

    def moves(self) -> list[tuple[str, ...]]:
        """Every transition that was announced."""
        said = [(event.instance_id, event.transition) for event in self.events.circuits]
        return [(instance, moved.before, moved.after, moved.reason) for instance, moved in said]

    async def play(self, step: Take | End | Renew | Withdraw | Observe) -> object:
        match step:
            case Take():
                self.taken += 1
                request = AdmissionRequest(LeaseId(f"l{self.taken}"), step.plan, step.tokens, LEASE_US)
                answer = await self.routing.admit(request)
                if isinstance(answer, Admitted):
                    self.held.append((request, answer))
                    return (answer.instance.id, answer.generation, answer.probe, answer.bucket_s, answer.refusals)
                return answer
            case Renew() if self.held:
                request, admitted = self.held[step.which % len(self.held)]
                await self.routing.renew({request.lease_id: admitted.instance}, LEASE_US)
            case Withdraw() if self.held:
                # It stays in the list, so that it is reported, renewed and withdrawn again after that.
                self.routing.withdraw(self.held[step.which % len(self.held)][0])
            case End() if self.held:
                self._end(step)
            case Observe():
                self.routing.observe_latency(step.instance, step.kind, step.sample_us)
        return None

    def _end(self, step: End) -> None:
        request, admitted = self.held.pop(step.which % len(self.held))
        cooldown, cooldown_us, grows = step.cooldown or (None, 0, False)
        self.routing.report(
            AttemptReport(
                lease_id=request.lease_id,
                instance=admitted.instance,
                generation=admitted.generation,
                probe=admitted.probe,
                bucket_s=admitted.bucket_s,
                outcome=step.outcome,
                latency_kind=LatencyKind.WHOLE,
                latency_us=step.latency_us,
                slow=step.slow,
                tokens_reserved=request.tokens,
                tokens_actual=step.tokens,
                jitter=step.jitter,
                cooldown=cooldown,
                cooldown_us=cooldown_us,
                cooldown_grows=grows,
            )
        )


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def executor(loop: asyncio.Runner) -> Iterator[RedisExecutor]:
    async def opened(url: str) -> RedisExecutor:
        made = RedisExecutor(connect(url, PATIENT), all_scripts(), PATIENT, StoreBreaker(SystemClock()))
        await made.load()
        return made

    with standalone(valkey_binary()) as server:
        executor = loop.run(opened(server.url))
        yield executor
        loop.run(executor.aclose())


async def replay(executor: RedisExecutor, steps: list[Step]) -> None:
    clock, prefix = ManualClock(), f"e{next(_numbers)}:"
    memory_events, redis_events = SpyEventSink(), SpyEventSink()
    shared = RedisRouting(executor, CONFIG, clock, redis_events, prefix, now=lambda: str(clock.monotonic_us()))
    local = MemoryRouting(CONFIG, clock, memory_events)
    memory = Side(local, memory_events)
    redis = Side(shared, redis_events)
    for span_us, step in steps:
        clock.advance(span_us)
        expected = await memory.play(step)
        found = await redis.play(step)
        await shared.settle()
        assert found == expected
    await shared.refresh(INSTANCES)
    for instance in INSTANCES:
        for kind in LatencyKind:
            assert shared.view(instance, kind) == local.view(instance, kind)
    for key, credits_of in local._turns.items():
        stored: dict[bytes, bytes] = await executor.command("HGETALL", RoutingKeys(prefix).turn(INSTANCES[0], key))
        assert {name.decode(): int(credit) for name, credit in stored.items()} == credits_of
    seen = [
        [(e.instance_id, e.transition.before, e.transition.after, e.transition.reason) for e in side.events.circuits]
        for side in (memory, redis)
    ]
    assert seen[0] == seen[1]


def test_memory_and_lua_give_equal_answers_to_the_same_history(loop: asyncio.Runner, executor: RedisExecutor) -> None:
    @settings(max_examples=HISTORIES, deadline=None)
    @given(st.lists(STEPS, min_size=50, max_size=80))
    def histories(steps: list[Step]) -> None:
        loop.run(replay(executor, steps))

    histories()
