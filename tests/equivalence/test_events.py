"""The same events, some of them sent again, in memory and in Lua: equal answers, and equal streams at the end."""

import asyncio
from collections import deque
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.event_record import KEPT, EventRecord, EventStream, KeptEvent, append
from tests.equivalence.one_server import OneServer, one_server
from tests.examples import examples

# Few ids and short views back, so that events are found, just found, and just missed.
SENDINGS = st.lists(
    st.tuples(st.sampled_from(["a-1", "a-10", "b-1", "1800000000123456"]), st.integers(0, 4)), min_size=1, max_size=30
)


@pytest.fixture(scope="module")
def server() -> Iterator[OneServer]:
    with one_server() as started:
        yield started


async def in_lua(server: OneServer, key: str, sendings: list[tuple[str, int]]) -> tuple[list[bool], list[str]]:
    ask = server.executor.call
    answers = await asyncio.gather(
        *(ask("events/append", [key], [id_, back, KEPT, "n", id_]) for id_, back in sendings)
    )
    entries = await server.executor.command("XRANGE", key, "-", "+")
    assert await server.executor.command("PTTL", key) > 0
    return [bool(answer) for answer in answers], [words[b"id"].decode() for _, words in entries]


@settings(max_examples=examples(250))
@given(sendings=SENDINGS)
def test_events_are_added_in_lua_as_in_memory(server: OneServer, sendings: list[tuple[str, int]]) -> None:
    kept: deque[KeptEvent] = deque(maxlen=KEPT)
    events = [KeptEvent(id_, EventRecord(EventStream.USAGE, "", 0, {})) for id_, _ in sendings]
    answers = [append(kept, event, back) for event, (_, back) in zip(events, sendings, strict=True)]

    found = server.run(in_lua(server, server.new_prefix(), sendings))

    assert found == (answers, [event.event_id for event in kept])
