"""The contract of Flights, third part: purges. Wants the fixtures of FlightsContract."""

import pytest

from adapters.testing.flights_contract import NOTHING
from adapters.testing.response_cache_contract import LEASE_US, TTL_US, filled, reply
from adapters.testing.virtual_time import ManualClock
from application.ports.flights import Flights
from application.ports.response_cache import ResponseCache
from domain.flights import FOLLOWED_US, Heard, News
from domain.response_cache import Fill


class FlightPurgeContract:
    """A purge revokes the right to store, not the right to tell."""

    @pytest.mark.parametrize("scope", ["t", None])
    @pytest.mark.parametrize("first", [(b"0",), ()])
    async def test_a_flight_is_told_to_its_end_after_a_purge(
        self,
        response_cache: ResponseCache,
        flights: Flights,
        other_flights: Flights,
        scope: str | None,
        first: tuple[bytes, ...],
    ) -> None:
        fill = await filled(response_cache, "t", "a")
        await flights.tell(fill, 0, first, LEASE_US)

        await response_cache.purge(scope)

        assert await other_flights.follow("t", "a", "r-1", 0) == News(first, ended=False, held=True)
        rest, count = (b"1", b"2"), len(first) + 2
        assert await flights.tell(fill, len(first), rest, LEASE_US, last=True) == Heard(count, followed=True)
        assert not await response_cache.put("t", "a", reply(), TTL_US, fill)
        assert await other_flights.follow("t", "a", "r-1", 0) == News((*first, *rest), ended=True, held=True)
        assert not await response_cache.abandon_fill(fill)
        assert await other_flights.follow("t", "a", "r-1", count) == News((), ended=True, held=False)

    @pytest.mark.parametrize("scope", ["t", None])
    async def test_two_are_told_at_once_after_a_purge(
        self, response_cache: ResponseCache, flights: Flights, other_flights: Flights, scope: str | None
    ) -> None:
        old = await filled(response_cache, "t", "a")
        await flights.tell(old, 0, (b"old",), LEASE_US)
        await response_cache.purge(scope)
        new = await filled(response_cache, "t", "a", "r-2")

        assert await flights.tell(old, 1, (b"older",), LEASE_US) == Heard(2, followed=False)
        assert await other_flights.tell(new, 0, (b"new",), LEASE_US) == Heard(1, followed=False)
        assert await other_flights.follow("t", "a", "r-1", 0) == News((b"old", b"older"), ended=False, held=True)
        assert await other_flights.follow("t", "a", "r-2", 0) == News((b"new",), ended=False, held=True)

        assert not await response_cache.put("t", "a", reply(b"old"), TTL_US, old)
        assert not await response_cache.abandon_fill(old)
        assert await flights.follow("t", "a", "r-1", 2) == News((), ended=False, held=False)
        assert await flights.tell(old, 2, (b"oldest",), LEASE_US) is None
        assert await flights.follow("t", "a", "r-2", 1) == News((), ended=False, held=True)
        assert await response_cache.put("t", "a", reply(b"new"), TTL_US, new)
        assert await response_cache.get("t", "a") == reply(b"new")

    async def test_a_flight_is_followed_on_when_another_has_the_fill(
        self, response_cache: ResponseCache, flights: Flights, other_flights: Flights, clock: ManualClock
    ) -> None:
        old = await filled(response_cache, "t", "a")
        await flights.tell(old, 0, (b"0",), 3 * FOLLOWED_US)
        await other_flights.follow("t", "a", "r-1", 0)
        await response_cache.purge("t")
        new = await filled(response_cache, "t", "a", "r-2", 3 * FOLLOWED_US)

        assert await flights.tell(old, 1, (), 3 * FOLLOWED_US) == Heard(1, followed=True)
        assert await flights.tell(new, 0, (), 3 * FOLLOWED_US) == Heard(0, followed=False)
        clock.advance(FOLLOWED_US)
        assert await flights.tell(old, 1, (), 3 * FOLLOWED_US) == Heard(1, followed=False)
        await other_flights.follow("t", "a", "r-1", 1)
        assert await flights.tell(old, 1, (), 3 * FOLLOWED_US) == Heard(1, followed=True)
        assert await flights.tell(new, 0, (), 3 * FOLLOWED_US) == Heard(0, followed=False)

    async def test_who_asked_before_anything_was_told_follows_when_another_has_the_fill(
        self, response_cache: ResponseCache, flights: Flights
    ) -> None:
        old = await filled(response_cache, "t", "a")
        await flights.follow("t", "a", "r-1", 0)
        await flights.tell(old, 0, (b"0",), LEASE_US)
        await response_cache.purge("t")
        await filled(response_cache, "t", "a", "r-2")

        assert await flights.tell(old, 1, (), LEASE_US) == Heard(1, followed=True)

    async def test_a_revoked_right_to_tell_ends_with_its_time_too(
        self, response_cache: ResponseCache, flights: Flights, clock: ManualClock
    ) -> None:
        old = await filled(response_cache, "t", "a")
        await flights.tell(old, 0, (b"0",), LEASE_US)
        await response_cache.purge("t")
        await filled(response_cache, "t", "a", "r-2")
        clock.advance(LEASE_US - 1)
        assert await flights.tell(old, 1, (), LEASE_US) == Heard(1, followed=False)
        clock.advance(LEASE_US - 1)
        assert await flights.follow("t", "a", "r-1", 1) == News((), ended=False, held=True)
        clock.advance(1)

        assert await flights.follow("t", "a", "r-1", 0) == News((b"0",), ended=False, held=False)
        assert await flights.tell(old, 1, (b"1",), LEASE_US) is None

    async def test_who_has_told_nothing_begins_no_flight_when_another_has_the_fill(
        self, response_cache: ResponseCache, flights: Flights
    ) -> None:
        old = await filled(response_cache, "t", "a")
        await response_cache.purge("t")
        await filled(response_cache, "t", "a", "r-2")

        assert await flights.tell(old, 0, (b"0",), LEASE_US) is None
        assert await flights.follow("t", "a", "r-1", 0) == NOTHING

    async def test_what_is_told_after_a_purge_keeps_nobody_from_calling(
        self, response_cache: ResponseCache, flights: Flights
    ) -> None:
        old = await filled(response_cache, "t", "a")
        await response_cache.purge("t")
        await flights.tell(old, 0, (b"0",), LEASE_US)

        assert isinstance(await response_cache.acquire_fill("t", "a", "r-2", LEASE_US), Fill)

    async def test_storing_ends_the_right_to_tell(self, response_cache: ResponseCache, flights: Flights) -> None:
        fill = await filled(response_cache, "t", "a")
        await flights.tell(fill, 0, (b"0",), LEASE_US)
        assert await response_cache.put("t", "a", reply(), TTL_US, fill)

        assert await flights.tell(fill, 1, (b"1",), LEASE_US) is None
        await response_cache.purge("t")
        assert await flights.tell(fill, 1, (b"1",), LEASE_US) is None
        assert await flights.follow("t", "a", "r-1", 1) == News((), ended=False, held=False)
