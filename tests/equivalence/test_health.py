"""The same checks of a few instances, in memory and in Lua: equal answers at every step."""

from collections.abc import Iterator
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.outbound.memory.health_store import MemoryHealthStore
from adapters.outbound.redis.health_store import RedisHealthStore
from adapters.testing.virtual_time import EPOCH_US, ManualClock
from application.ports.health_store import HealthStore
from domain.health_report import HealthReport, ModelHealth
from domain.identifiers import InstanceId, ModelName
from tests.equivalence.one_server import OneServer, one_server
from tests.examples import examples

Step: TypeAlias = tuple[str, str, HealthReport, int, int]
Said: TypeAlias = tuple[HealthReport | None, ModelHealth]

OPTIONAL = st.none() | st.sampled_from([0, 1, 1_001, 2**53])
REPORTS = st.builds(
    HealthReport,
    st.sampled_from([EPOCH_US + 123_456, EPOCH_US + 123_457, EPOCH_US + 123_458]),
    st.booleans(),
    OPTIONAL,
    OPTIONAL,
    st.text(max_size=3),
)
SPANS_US = st.sampled_from([0, 1, 2, 1_001, 300_000_000])
PAUSES_US = st.sampled_from([0, 0, 1, 2, 1_000, 1_001, 300_000_000])
STEPS = st.tuples(st.sampled_from("abc"), st.sampled_from("mn"), REPORTS, SPANS_US, PAUSES_US)


@pytest.fixture(scope="module")
def server() -> Iterator[OneServer]:
    with one_server() as started:
        yield started


async def answers(health_store: HealthStore, clock: ManualClock, history: list[Step]) -> list[Said]:
    said: list[Said] = []
    for instance, model, report, ttl_us, pause_us in history:
        await health_store.store(InstanceId(instance), ModelName(model), report, ttl_us)
        clock.advance(pause_us)
        said += [(await health_store.of_instance(InstanceId("a")), await health_store.of_model(ModelName("m")))]
    return said


@settings(max_examples=examples(250))
@given(history=st.lists(STEPS, min_size=1, max_size=15))
def test_health_in_lua_is_as_in_memory(server: OneServer, history: list[Step]) -> None:
    clock, lua_clock = ManualClock(), ManualClock()
    in_lua = RedisHealthStore(server.executor, server.new_prefix(), lambda: str(lua_clock.now_us()))

    expected = server.run(answers(MemoryHealthStore(clock), clock, history))

    assert server.run(answers(in_lua, lua_clock, history)) == expected
