"""The memory adapters and the scripts answer random histories of fills and their flights alike."""

from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.outbound.memory.fills import Fills
from adapters.outbound.memory.flights import MemoryFlights
from adapters.outbound.memory.response_cache import MemoryResponseCache
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.flights import RedisFlights
from adapters.outbound.redis.response_cache import RedisResponseCache
from adapters.testing.virtual_time import ManualClock
from application.ports.flights import Flights
from application.ports.response_cache import ResponseCache
from domain.flights import FOLLOWED_US, KEPT_US
from domain.response_cache import CachedReply, Fill
from tests.equivalence.one_server import one_server
from tests.examples import examples

# Real time passes, too, while a history is replayed: no key may end by it that is still asked for.
_SPANS_US = (KEPT_US // 2, KEPT_US, 2 * KEPT_US + 1)

_owners = st.sampled_from(["r-1", "r-1", "r-2"])
_spans_us = st.sampled_from(_SPANS_US)
# Of the fills that were given, the latest first.
_numbers = st.sampled_from([0, 0, 0, 1])
_frames = st.lists(st.sampled_from([b"", b"x", b"y" * 30, b"z" * 51]), max_size=20)
# Of the frames that were told, counted from the last one.
_places = st.sampled_from([0, 0, 0, 0, 1, 3, 17, -1])
_lasts = st.sampled_from([False, False, False, True])
_steps = st.one_of(
    st.tuples(st.just("acquire"), st.sampled_from(["t", "t", "t", "u"]), st.just("a"), _owners, _spans_us),
    *[st.tuples(st.just("tell"), _numbers, _places, _frames, _spans_us, _lasts)] * 4,
    *[st.tuples(st.just("read"), _numbers, _places)] * 4,
    st.tuples(st.just("follow"), st.sampled_from(["t", "u"]), st.just("a"), _owners, st.sampled_from([0, 1, 5])),
    st.tuples(st.sampled_from(["put", "abandon"]), _numbers),
    st.tuples(st.just("purge"), st.sampled_from(["t", "u", None])),
    *[st.tuples(st.just("displace"), st.sampled_from(["t", None]), _owners, _spans_us)] * 2,
    *[st.tuples(st.just("pass"), st.sampled_from([KEPT_US, KEPT_US // 2, FOLLOWED_US, FOLLOWED_US - 1, 1]))] * 2,
)
_given = st.tuples(st.just("acquire"), st.just("t"), st.just("a"), _owners, _spans_us)
_histories = st.tuples(_given, st.lists(_steps, min_size=8, max_size=30)).map(lambda parts: [parts[0], *parts[1]])


class Replay:
    """One store, the fills it gave so far, and how far each was told."""

    def __init__(self, cache: ResponseCache, flights: Flights) -> None:
        self._cache = cache
        self._flights = flights
        self._fills: list[Fill] = []
        self._counts: dict[Fill, int] = {}

    async def ask(self, step: tuple[Any, ...]) -> object:
        match step:
            case ("acquire", scope, key, owner, ttl_us):
                answer = await self._cache.acquire_fill(scope, key, owner, ttl_us)
                if not isinstance(answer, Fill):
                    return answer
                self._fills.insert(0, answer)
                return answer.expires_us
            case ("follow", scope, key, owner, after):
                return await self._flights.follow(scope, key, owner, after)
            case ("purge", scope):
                return await self._cache.purge(scope)
            case (verb, number, *rest) if number < len(self._fills):
                return await self._ask_with(verb, self._fills[number], *rest)
        return None

    async def _ask_with(self, verb: str, fill: Fill, *rest: Any) -> object:
        count = self._counts.get(fill, 0)
        match verb:
            case "tell":
                back, frames, ttl_us, last = rest
                heard = await self._flights.tell(fill, max(0, count - back), frames, ttl_us, last=last)
                self._counts[fill] = count if heard is None else heard.count
                return heard
            case "read":
                return await self._flights.follow(fill.scope, fill.key, fill.owner, max(0, count - rest[0]))
            case "put":
                return await self._cache.put(fill.scope, fill.key, CachedReply(b"", "m", 0), KEPT_US, fill)
        return await self._cache.abandon_fill(fill)


def _one_by_one(history: list[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """A fill is displaced where a purge revokes it, and another is given."""
    for step in history:
        if step[0] == "displace":
            yield "purge", step[1]
            yield "acquire", "t", "a", *step[2:]
        else:
            yield step


async def _replay(executor: RedisExecutor, prefix: str, history: list[tuple[Any, ...]]) -> None:
    clock, fills = ManualClock(), Fills()

    def now() -> str:
        return str(clock.now_us())

    memory = Replay(MemoryResponseCache(clock, fills=fills), MemoryFlights(clock, fills, news_bytes=50))
    scripts = Replay(RedisResponseCache(executor, prefix, now), RedisFlights(executor, prefix, now, news_bytes=50))
    for number, step in enumerate(_one_by_one(history)):
        if step[0] == "pass":
            clock.advance(step[1])
            continue
        expected, actual = await memory.ask(step), await scripts.ask(step)
        assert expected == actual, f"step {number} of {history}: {step}"


def test_histories_of_flights_get_equal_answers() -> None:
    with one_server() as server:

        @settings(max_examples=examples(500), deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(_histories)
        def alike(history: list[tuple[Any, ...]]) -> None:
            server.run(_replay(server.executor, server.new_prefix(), history))

        alike()
