"""The same history of a lock, in memory and in Lua: equal answers at every step."""

from collections.abc import Iterator
from typing import Literal, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.outbound.memory.lock import MemoryLock
from adapters.outbound.redis.lock import RedisLock
from adapters.testing.virtual_time import ManualClock
from application.ports.lock import Lock
from domain.lock import Held
from tests.equivalence.one_server import OneServer, one_server
from tests.examples import examples

Step: TypeAlias = tuple[Literal["acquire", "extend", "release"], str, int, int]

# Few owners and spans of few values, so that they meet: at the same microsecond, and one before and after an end.
SPANS_US = st.sampled_from([1, 2, 1_000, 1_001, 999_999_999_999])
PAUSES_US = st.sampled_from([0, 0, 1, 2, 999, 1_000, 1_001, 999_999_999_999, -1, -1_001])
STEPS = st.tuples(
    st.sampled_from(["acquire", "acquire", "extend", "release"]), st.sampled_from("ab"), SPANS_US, PAUSES_US
)


@pytest.fixture(scope="module")
def server() -> Iterator[OneServer]:
    with one_server() as started:
        yield started


async def answers(lock: Lock, clock: ManualClock, history: list[Step]) -> list[Held | bool | None]:
    said: list[Held | bool | None] = []
    for verb, owner, ttl_us, pause_us in history:
        clock.advance(pause_us)
        match verb:
            case "acquire":
                said.append(await lock.acquire("job", owner, ttl_us))
            case "extend":
                said.append(await lock.extend("job", owner, ttl_us))
            case "release":
                said.append(await lock.release("job", owner))
    return said


@settings(max_examples=examples(250))
@given(history=st.lists(STEPS, min_size=1, max_size=25))
def test_locks_in_lua_answer_as_those_in_memory(server: OneServer, history: list[Step]) -> None:
    clock, lua_clock = ManualClock(), ManualClock()
    in_lua = RedisLock(server.executor, server.new_prefix(), lambda: str(lua_clock.now_us()))

    expected = server.run(answers(MemoryLock(clock), clock, history))

    assert server.run(answers(in_lua, lua_clock, history)) == expected
