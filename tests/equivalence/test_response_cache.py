"""The memory adapter and the scripts answer random histories alike."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.outbound.memory.response_cache import MemoryResponseCache
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.response_cache import RedisResponseCache
from adapters.testing.virtual_time import ManualClock
from application.ports.response_cache import ResponseCache
from domain.chat import Usage
from domain.response_cache import CachedReply, CacheUse, Fill
from tests.equivalence.one_server import one_server
from tests.examples import examples

# Long enough that no key ends in real time while a history is replayed.
_MINUTE_US = 60_000_000

_scopes = st.sampled_from(["t", "t", "u"])
_keys = st.sampled_from(["a", "a", "b"])
_spans_us = st.sampled_from([_MINUTE_US, _MINUTE_US, 2 * _MINUTE_US + 1])
_numbers = st.integers(0, 3)
_bodies = st.sampled_from([b"", b"x", b"y" * 30, b"z" * 51])
_uses = st.builds(CacheUse, *[st.integers(0, 2**50)] * 3)
_steps = st.one_of(
    st.tuples(st.just("get"), _scopes, _keys),
    st.tuples(st.just("put"), _scopes, _keys, _bodies, _spans_us),
    st.tuples(st.just("acquire"), _scopes, _keys, st.sampled_from(["r-1", "r-2"]), _spans_us),
    st.tuples(st.just("fill"), _numbers, _bodies, _spans_us),
    st.tuples(st.just("abandon"), _numbers),
    st.tuples(st.just("purge"), st.sampled_from(["t", "t", "u", None])),
    st.tuples(st.just("stats"), st.sampled_from(["t", "t", "u", None])),
    st.tuples(st.just("scopes")),
    st.tuples(st.just("count"), _scopes, st.dictionaries(st.sampled_from(["m", "n"]), _uses, max_size=2)),
    st.tuples(st.just("pass"), st.sampled_from([_MINUTE_US, _MINUTE_US - 1, 1])),
    st.tuples(st.just("pass"), st.just(_MINUTE_US)),
)


def _reply(body: bytes) -> CachedReply:
    return CachedReply(body, "m", 1_800_000_000_123_457 + len(body), Usage(len(body), 1))


def _said(answer: object) -> object:
    """An answer without the token, which only its own store reads."""
    return (answer.scope, answer.key, answer.owner, answer.expires_us) if isinstance(answer, Fill) else answer


class Replay:
    """One store and the fills it gave so far."""

    def __init__(self, cache: ResponseCache) -> None:
        self._cache = cache
        self._fills: list[Fill] = []

    async def ask(self, step: tuple[Any, ...]) -> object:  # noqa: PLR0911 - one line for each verb
        match step:
            case ("get", scope, key):
                return await self._cache.get(scope, key)
            case ("put", scope, key, body, ttl_us):
                return await self._cache.put(scope, key, _reply(body), ttl_us)
            case ("acquire", scope, key, owner, ttl_us):
                answer = await self._cache.acquire_fill(scope, key, owner, ttl_us)
                if isinstance(answer, Fill):
                    self._fills.insert(0, answer)
                return _said(answer)
            case ("purge", scope):
                return await self._cache.purge(scope)
            case ("scopes",):
                return sorted(await self._cache.scopes())
            case ("count", scope, uses):
                await self._cache.count(scope, uses)
                return None
            case ("stats", scope):
                return await self._cache.stats(scope)
            case (verb, number, *rest) if number < len(self._fills):
                return await self._ask_with(verb, self._fills[number], *rest)
        return None

    async def _ask_with(self, verb: str, fill: Fill, *rest: Any) -> object:
        if verb == "fill":
            body, ttl_us = rest
            return await self._cache.put(fill.scope, fill.key, _reply(body), ttl_us, fill)
        return await self._cache.abandon_fill(fill)


async def _replay(executor: RedisExecutor, prefix: str, history: list[tuple[Any, ...]]) -> None:
    clock = ManualClock()
    memory = Replay(MemoryResponseCache(clock, max_entry_bytes=50))
    scripts = Replay(RedisResponseCache(executor, prefix, lambda: str(clock.now_us()), max_entry_bytes=50))
    for number, step in enumerate(history):
        if step[0] == "pass":
            clock.advance(step[1])
            continue
        expected, actual = await memory.ask(step), await scripts.ask(step)
        assert expected == actual, f"step {number} of {history}: {step}"


def test_histories_of_the_response_cache_get_equal_answers() -> None:
    with one_server() as server:

        @settings(max_examples=examples(400), deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(st.lists(_steps, min_size=5, max_size=40))
        def alike(history: list[tuple[Any, ...]]) -> None:
            server.run(_replay(server.executor, server.new_prefix(), history))

        alike()
