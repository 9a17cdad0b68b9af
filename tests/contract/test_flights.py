import pytest

from adapters.outbound.memory.fills import Fills
from adapters.outbound.memory.flights import MemoryFlights
from adapters.outbound.memory.response_cache import MemoryResponseCache
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.flights import RedisFlights
from adapters.outbound.redis.response_cache import RedisResponseCache
from adapters.testing.flight_end_contract import FlightEndContract
from adapters.testing.flight_purge_contract import FlightPurgeContract
from adapters.testing.flights_contract import NEWS_BYTES, NOTHING, FlightsContract
from adapters.testing.response_cache_contract import LEASE_US, TTL_US, filled, reply
from adapters.testing.virtual_time import ManualClock
from application.ports.flights import Flights
from domain.flights import KEPT_US, Heard, News


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


class TestMemoryFlights(FlightsContract, FlightEndContract, FlightPurgeContract):
    @pytest.fixture
    def fills(self) -> Fills:
        return Fills()

    @pytest.fixture
    def response_cache(self, clock: ManualClock, fills: Fills) -> MemoryResponseCache:
        return MemoryResponseCache(clock, fills=fills)

    @pytest.fixture
    def flights(self, clock: ManualClock, fills: Fills) -> MemoryFlights:
        return MemoryFlights(clock, fills, news_bytes=NEWS_BYTES)

    @pytest.fixture
    def other_flights(self, flights: Flights) -> Flights:
        return flights


class TestRedisFlights(FlightsContract, FlightEndContract, FlightPurgeContract):
    @pytest.fixture
    def response_cache(
        self, redis_executor: RedisExecutor, redis_prefix: str, clock: ManualClock
    ) -> RedisResponseCache:
        return RedisResponseCache(redis_executor, redis_prefix, lambda: str(clock.now_us()))

    @pytest.fixture
    def flights(self, redis_executor: RedisExecutor, redis_prefix: str, clock: ManualClock) -> RedisFlights:
        return RedisFlights(redis_executor, redis_prefix, lambda: str(clock.now_us()), NEWS_BYTES)

    @pytest.fixture
    def other_flights(self, redis_executor: RedisExecutor, redis_prefix: str, clock: ManualClock) -> RedisFlights:
        return RedisFlights(redis_executor, redis_prefix, lambda: str(clock.now_us()), NEWS_BYTES)


async def test_every_key_of_a_flight_ends_by_itself(redis_executor: RedisExecutor, redis_prefix: str) -> None:
    cache, flights = RedisResponseCache(redis_executor, redis_prefix), RedisFlights(redis_executor, redis_prefix)
    fill = await filled(cache, "t", "a")
    keys = flights._keys("t", "a", "r-1")
    left_ms = []

    for ttl_us in (2 * LEASE_US, 4 * KEPT_US, LEASE_US):
        assert await flights.tell(fill, 0, (b"0",), ttl_us)
        await flights.follow("t", "a", "r-1", 0)
        left_ms.append([int(await redis_executor.command("PTTL", key)) for key in keys])

    seconds = [[-(-ms // 1_000) for ms in both] for both in left_ms]
    assert seconds == [[20, 30], [120, 120], [10, 30]]


async def test_nothing_is_stored_of_a_flight_that_has_no_frames(
    redis_executor: RedisExecutor, redis_prefix: str
) -> None:
    cache, flights = RedisResponseCache(redis_executor, redis_prefix), RedisFlights(redis_executor, redis_prefix)
    fill = await filled(cache, "t", "a")

    assert await flights.tell(fill, 0, (), LEASE_US) == Heard(0, followed=False)
    assert await flights.follow("t", "nobody fills it", "r-1", 0) == NOTHING

    for key in (flights._keys("t", "a", "r-1")[1], *flights._keys("t", "nobody fills it", "r-1")):
        assert await redis_executor.command("EXISTS", key) == 0


async def test_a_flight_that_the_server_lost_is_told_again(redis_executor: RedisExecutor, redis_prefix: str) -> None:
    cache, flights = RedisResponseCache(redis_executor, redis_prefix), RedisFlights(redis_executor, redis_prefix)
    fill = await filled(cache, "t", "a")
    await flights.tell(fill, 0, (b"0", b"1"), LEASE_US)
    await redis_executor.command("DEL", flights._keys("t", "a", "r-1")[1])

    assert await flights.tell(fill, 2, (b"2",), LEASE_US, last=True) == Heard(0, followed=False)
    assert await flights.follow("t", "a", "r-1", 1) == News((), ended=False, held=True)
    assert await flights.tell(fill, 0, (b"0", b"1", b"2"), LEASE_US, last=True) == Heard(3, followed=True)

    assert await flights.follow("t", "a", "r-1", 1) == News((b"1", b"2"), ended=True, held=True)


@pytest.mark.parametrize("lost", ["generation", "epoch", "scopes"])
async def test_a_purged_fill_stores_nothing_and_tells_on_whatever_the_server_lost(
    redis_executor: RedisExecutor, redis_prefix: str, lost: str
) -> None:
    cache, flights = RedisResponseCache(redis_executor, redis_prefix), RedisFlights(redis_executor, redis_prefix)
    fill = await filled(cache, "t", "a")
    key = {"generation": cache._names.of("t", "a", "generation")[0]}.get(lost, f"{redis_prefix}{{c}}:{lost}")
    if lost == "scopes":
        await redis_executor.command("DEL", key)
        await RedisResponseCache(redis_executor, redis_prefix).purge(None)
    else:
        await cache.purge("t" if lost == "generation" else None)
        await redis_executor.command("DEL", key)

    assert await flights.tell(fill, 0, (b"0",), LEASE_US) == Heard(1, followed=False)
    assert not await cache.put("t", "a", reply(), TTL_US, fill)
    assert await cache.get("t", "a") is None


async def test_memory_forgets_flights_that_nobody_can_read_any_more(clock: ManualClock) -> None:
    fills = Fills()
    cache, flights = MemoryResponseCache(clock, fills=fills), MemoryFlights(clock, fills)
    for number in range(300):
        fill = await filled(cache, "t", f"k{number}")
        await flights.tell(fill, 0, [b"x" * 100] * 10, LEASE_US, last=True)
        await cache.put("t", f"k{number}", reply(), TTL_US, fill)
        clock.advance(KEPT_US // 100)
        assert len(flights._flights) <= 105

    clock.advance(KEPT_US)
    await flights.follow("t", "k0", "r-1", 0)

    assert (len(flights._flights), flights._bytes) == (0, 0)


async def test_memory_drops_the_flights_told_of_longest_ago_to_hold_its_bound(clock: ManualClock) -> None:
    fills = Fills()
    cache, flights = MemoryResponseCache(clock, fills=fills), MemoryFlights(clock, fills, max_bytes=10_000)
    told = {key: await filled(cache, "t", key) for key in "abc"}
    for key in "ab":
        await flights.tell(told[key], 0, (b"x" * 3_000,), LEASE_US)
    await flights.tell(told["a"], 1, (), LEASE_US)

    assert await flights.tell(told["c"], 0, (b"x" * 3_000,), LEASE_US) == Heard(1, followed=False)

    assert [len((await flights.follow("t", key, "r-1", 0)).frames) for key in "abc"] == [1, 0, 1]
    assert await flights.tell(told["b"], 1, (b"more",), LEASE_US) == Heard(0, followed=True)
    assert await flights.tell(told["b"], 0, (b"x" * 10_000,), LEASE_US) == Heard(0, followed=True)
    assert flights._bytes <= 10_000
