"""The contract of Flights, second half: how they end. Wants the fixtures of FlightsContract."""

import pytest

from adapters.testing.flights_contract import NOTHING
from adapters.testing.response_cache_contract import LEASE_US, TTL_US, filled, reply
from adapters.testing.virtual_time import ManualClock
from application.ports.flights import Flights
from application.ports.response_cache import ResponseCache
from domain.flights import KEPT_US, Heard, News


class FlightEndContract:
    """What was told can be read for a while, and nobody takes what is left for a flight that goes on."""

    @pytest.mark.parametrize("rest", [(b"1",), ()])
    async def test_the_last_frame_ends_it(
        self, response_cache: ResponseCache, flights: Flights, rest: tuple[bytes, ...]
    ) -> None:
        fill = await filled(response_cache, "t", "a")
        await flights.tell(fill, 0, (b"0",), LEASE_US)
        count = 1 + len(rest)

        for _ in range(2):
            assert await flights.tell(fill, 1, rest, LEASE_US, last=True) == Heard(count, followed=False)

        assert await flights.follow("t", "a", "r-1", 0) == News((b"0", *rest), ended=True, held=True)
        assert await flights.follow("t", "a", "r-1", count) == News((), ended=True, held=True)
        assert await flights.tell(fill, count, (b"more",), LEASE_US) == Heard(count, followed=True)
        assert await flights.follow("t", "a", "r-1", 0) == News((b"0", *rest), ended=True, held=True)

    async def test_a_flight_without_frames_can_end(self, response_cache: ResponseCache, flights: Flights) -> None:
        fill = await filled(response_cache, "t", "a")

        assert await flights.tell(fill, 0, (), LEASE_US, last=True) == Heard(0, followed=False)

        assert await flights.follow("t", "a", "r-1", 0) == News((), ended=True, held=True)

    @pytest.mark.parametrize("last", [True, False])
    async def test_what_was_told_is_readable_for_a_while_after_the_fill_is_given_back(
        self, response_cache: ResponseCache, flights: Flights, clock: ManualClock, *, last: bool
    ) -> None:
        stored, abandoned = [await filled(response_cache, "t", key) for key in ("a", "b")]
        for fill in (stored, abandoned):
            await flights.tell(fill, 0, (b"0", b"1"), LEASE_US, last=last)

        assert await response_cache.put("t", "a", reply(), TTL_US, stored)
        assert await response_cache.abandon_fill(abandoned)

        clock.advance(KEPT_US - 1)
        for key in ("a", "b"):
            assert await flights.follow("t", key, "r-1", 1) == News((b"1",), ended=last, held=False)
        clock.advance(1)
        for key in ("a", "b"):
            assert await flights.follow("t", key, "r-1", 1) == NOTHING

    async def test_what_was_told_stays_while_the_fill_is_held(
        self, response_cache: ResponseCache, flights: Flights, clock: ManualClock
    ) -> None:
        fill = await filled(response_cache, "t", "a")
        await flights.tell(fill, 0, (b"0",), 2 * KEPT_US)
        clock.advance(2 * KEPT_US - 1)
        assert (await flights.follow("t", "a", "r-1", 0)).frames == (b"0",)

        assert await flights.tell(fill, 1, (), LEASE_US) == Heard(1, followed=True)
        clock.advance(LEASE_US)
        assert await flights.follow("t", "a", "r-1", 0) == News((b"0",), ended=False, held=False)
        clock.advance(KEPT_US - LEASE_US)
        assert await flights.follow("t", "a", "r-1", 0) == NOTHING

    async def test_a_fill_that_was_given_back_tells_nothing(
        self, response_cache: ResponseCache, flights: Flights
    ) -> None:
        fill = await filled(response_cache, "t", "a")
        await flights.tell(fill, 0, (b"0",), LEASE_US)
        await response_cache.abandon_fill(fill)
        await filled(response_cache, "t", "a", "r-2")

        assert await flights.tell(fill, 1, (b"1",), LEASE_US) is None

        assert await flights.follow("t", "a", "r-1", 0) == News((b"0",), ended=False, held=False)
        assert await flights.follow("t", "a", "r-2", 0) == News((), ended=False, held=True)

    async def test_two_owners_one_after_the_other_have_a_flight_each(
        self, response_cache: ResponseCache, flights: Flights, clock: ManualClock
    ) -> None:
        for owner in ("r-1", "r-2"):
            fill = await filled(response_cache, "t", "a", owner)
            assert await flights.tell(fill, 0, (owner.encode(),), LEASE_US) == Heard(1, followed=False)
            clock.advance(LEASE_US)

        for owner in ("r-1", "r-2"):
            assert await flights.follow("t", "a", owner, 0) == News((owner.encode(),), ended=False, held=False)

    async def test_an_owner_does_not_go_on_with_a_flight_that_a_purge_revoked(
        self, response_cache: ResponseCache, flights: Flights
    ) -> None:
        fill = await filled(response_cache, "t", "a")
        await flights.tell(fill, 0, (b"old",), LEASE_US)
        await response_cache.purge("t")
        again = await filled(response_cache, "t", "a")

        assert await flights.tell(again, 1, (b"new",), LEASE_US) is None

        assert (await flights.follow("t", "a", "r-1", 0)).frames == (b"old",)

    async def test_a_new_fill_is_not_followed_because_an_older_one_was(
        self, response_cache: ResponseCache, flights: Flights, clock: ManualClock
    ) -> None:
        await filled(response_cache, "t", "a", ttl_us=2)
        await flights.follow("t", "a", "r-1", 0)
        clock.advance(2)
        fill = await filled(response_cache, "t", "a")

        assert await flights.tell(fill, 0, (), LEASE_US) == Heard(0, followed=False)
