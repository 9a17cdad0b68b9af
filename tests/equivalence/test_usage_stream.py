"""The memory adapter and the scripts answer random histories alike, in one shard, where order counts."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.outbound.memory.usage_stream import MemoryUsageStream
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.usage_stream import RedisUsageStream
from adapters.testing.virtual_time import ManualClock
from application.ports.usage_stream import UsageStream
from domain.usage_stream import UsageEntry
from tests.equivalence.one_server import one_server
from tests.examples import examples
from tests.servers.usage_aging import age_pending

_MINUTE_US = 60_000_000

_ids = st.sampled_from([f"r-{number}:1" for number in range(5)])
_some_ids = st.lists(_ids, max_size=4)
_consumers = st.sampled_from(["w1", "w2"])
_counts = st.integers(1, 3)
_steps = st.one_of(
    st.tuples(st.just("append"), _ids, st.binary(max_size=3)),
    st.tuples(st.just("append"), _ids, st.binary(max_size=3)),
    st.tuples(st.just("read"), _consumers, _counts),
    # Between the whole minutes that pass, because the server also counts the real milliseconds.
    st.tuples(st.just("claim"), _consumers, st.sampled_from([_MINUTE_US // 2, 3 * _MINUTE_US // 2]), _counts),
    st.tuples(st.just("keep"), _consumers, _some_ids),
    st.tuples(st.just("acknowledge"), _some_ids),
    st.tuples(st.just("bury"), _ids, st.integers(1, 9), st.text(max_size=3)),
    st.tuples(st.just("dead"), _counts),
    st.tuples(st.just("replay"), _ids),
    st.tuples(st.just("discard"), _ids),
    st.tuples(st.just("discarded"), _some_ids),
    st.tuples(st.just("depth")),
    st.tuples(st.just("pass"), st.just(_MINUTE_US)),
)


async def _ask(stream: UsageStream, step: tuple[Any, ...]) -> object:  # noqa: C901, PLR0911 - one line for each verb
    match step:
        case ("append", record_id, record):
            return await stream.append(record, record_id)
        case ("read", consumer, number):
            return await stream.read(consumer, number, 0)
        case ("claim", consumer, idle_us, number):
            return await stream.claim_stale(consumer, idle_us, number)
        case ("keep", consumer, record_ids):
            return await stream.keep(consumer, record_ids)
        case ("acknowledge", record_ids):
            return await stream.acknowledge(record_ids)
        case ("bury", record_id, deliveries, error):
            return await stream.dead_letter(UsageEntry(record_id, b"not this", deliveries), error)
        case ("dead", number):
            return await _dead(stream, number)
        case ("replay", record_id):
            return await stream.replay(record_id)
        case ("discard", record_id):
            return await stream.discard(record_id)
        case ("discarded", record_ids):
            return await stream.discarded(record_ids)
    return await stream.depth()


async def _dead(stream: UsageStream, limit: int) -> object:
    """All pages."""
    page, after = await stream.list_dead(limit)
    pages = [page]
    while after is not None:
        page, after = await stream.list_dead(limit, after)
        pages.append(page)
    return pages


async def _replay(executor: RedisExecutor, prefix: str, history: list[tuple[Any, ...]]) -> None:
    clock = ManualClock()
    memory = MemoryUsageStream(clock)
    scripts = RedisUsageStream(executor, prefix, clock, lambda: str(clock.now_us()), shards=1)
    for number, step in enumerate(history):
        if step[0] == "pass":
            clock.advance(step[1])
            await age_pending(executor, scripts, step[1])
            continue
        expected, actual = await _ask(memory, step), await _ask(scripts, step)
        assert expected == actual, f"step {number} of {history}: {step}"


def test_histories_of_the_usage_stream_get_equal_answers() -> None:
    with one_server() as server:

        @settings(max_examples=examples(300), deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(st.lists(_steps, min_size=5, max_size=40))
        def alike(history: list[tuple[Any, ...]]) -> None:
            server.run(_replay(server.executor, server.new_prefix(), history))

        alike()
