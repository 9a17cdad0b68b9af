"""How calls went over many windows: the totals that Lua keeps open a circuit when the domain's do."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.outbound.memory.routing import MemoryRouting
from adapters.outbound.redis.routing import RedisRouting
from adapters.testing.doubles import SpyEventSink
from adapters.testing.routing.harness import RoutingHarness, instance
from adapters.testing.virtual_time import EPOCH_US, ManualClock
from domain.durations import SECOND_US
from domain.resilience.circuit_breaker import CircuitBreakerConfig
from domain.resilience.outcome import Outcome
from domain.routing.strategy import Leaf
from tests.equivalence.one_server import OneServer, one_server
from tests.examples import examples

HISTORIES = examples(200)
# Only rates open it, and a probe closes it again at once: a history is in its windows, not in its open times.
CONFIG = CircuitBreakerConfig(
    window_us=4 * SECOND_US, minimum_calls=4, failure_rate=0.5, consecutive_failures=1_000, probes_to_close=1
)
MEMBER = instance("a")

GAPS_US = st.one_of(
    st.just(0),
    st.sampled_from([1, SECOND_US - 1, SECOND_US, SECOND_US, 2 * SECOND_US, 3 * SECOND_US, 4 * SECOND_US]),
    st.integers(0, SECOND_US),
)
OUTCOMES = st.sampled_from([Outcome.SUCCESS, Outcome.SUCCESS, Outcome.FAILURE])
Step = tuple[int, Outcome, bool]
STEPS = st.lists(st.tuples(GAPS_US, OUTCOMES, st.booleans()), min_size=30, max_size=60)


@pytest.fixture(scope="module")
def server() -> Iterator[OneServer]:
    with one_server() as running:
        yield running


async def replay(server: OneServer, start_us: int, steps: list[Step]) -> None:
    clock = ManualClock(EPOCH_US + start_us)
    memory_events, redis_events = SpyEventSink(), SpyEventSink()
    shared = RedisRouting(
        server.executor, CONFIG, clock, redis_events, server.new_prefix(), now=lambda: str(clock.monotonic_us())
    )
    memory = RoutingHarness(MemoryRouting(CONFIG, clock, memory_events), clock, memory_events)
    redis = RoutingHarness(shared, clock, redis_events)
    for gap_us, outcome, slow in steps:
        clock.advance(gap_us)
        for side in (memory, redis):
            # As a last resort an open circuit is probed at once.
            held = await side.take(Leaf(MEMBER, last_resort=True))
            held.end(outcome, slow=slow)
        await shared.settle()
        assert redis_events.events == memory_events.events


def test_windows_of_outcomes_open_circuits_alike_in_memory_and_in_lua(server: OneServer) -> None:
    @settings(max_examples=HISTORIES, deadline=None)
    @given(st.integers(0, SECOND_US), STEPS)
    def histories(start_us: int, steps: list[Step]) -> None:
        server.run(replay(server, start_us, steps))

    histories()
