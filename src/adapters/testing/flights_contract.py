"""The contract of Flights. Inherit it, FlightEndContract and FlightPurgeContract; give them the fixtures named here.

Wants `response_cache`, empty, whose time is `clock`; `flights`, under its fills, whose answers have NEWS_BYTES at most;
and `other_flights`: the same store as another gateway sees it.
"""

import pytest

from adapters.testing.response_cache_contract import LEASE_US, TTL_US, filled, reply
from adapters.testing.virtual_time import ManualClock
from application.ports.flights import Flights
from application.ports.response_cache import ResponseCache
from domain.flights import FOLLOWED_US, NEWS_FRAMES, Heard, News
from domain.response_cache import FillHeld

NEWS_BYTES = 1_000
NOTHING = News((), ended=False, held=False)


class FlightsContract:
    """What is told is read, in order, each frame once, by those who follow that owner's flight."""

    async def test_what_one_gateway_tells_another_reads(
        self, response_cache: ResponseCache, flights: Flights, other_flights: Flights
    ) -> None:
        fill = await filled(response_cache, "t", "a")
        frames = (b"data: 1\n\n", b"", bytes(range(256)))

        assert await flights.tell(fill, 0, frames[:2], LEASE_US) == Heard(2, followed=False)
        assert await other_flights.follow("t", "a", "r-1", 0) == News(frames[:2], ended=False, held=True)
        assert await flights.tell(fill, 2, frames[2:], LEASE_US) == Heard(3, followed=True)

        assert await other_flights.follow("t", "a", "r-1", 2) == News(frames[2:], ended=False, held=True)
        assert await other_flights.follow("t", "a", "r-1", 3) == News((), ended=False, held=True)
        assert await other_flights.follow("t", "a", "r-1", 0) == News(frames, ended=False, held=True)

    async def test_frames_told_again_are_ignored(self, response_cache: ResponseCache, flights: Flights) -> None:
        fill = await filled(response_cache, "t", "a")
        await flights.tell(fill, 0, (b"0", b"1", b"2"), LEASE_US)

        assert await flights.tell(fill, 0, (b"x", b"x", b"x"), LEASE_US) == Heard(3, followed=False)
        assert await flights.tell(fill, 0, (b"x",), LEASE_US) == Heard(3, followed=False)
        assert await flights.tell(fill, 1, (b"x", b"x", b"3"), LEASE_US) == Heard(4, followed=False)

        assert (await flights.follow("t", "a", "r-1", 0)).frames == (b"0", b"1", b"2", b"3")

    async def test_frames_after_a_gap_are_not_taken(self, response_cache: ResponseCache, flights: Flights) -> None:
        fill = await filled(response_cache, "t", "a")

        assert await flights.tell(fill, 1, (b"1",), LEASE_US, last=True) == Heard(0, followed=False)
        assert await flights.tell(fill, 0, (b"0",), LEASE_US) == Heard(1, followed=False)
        assert await flights.tell(fill, 2, (b"2",), LEASE_US, last=True) == Heard(1, followed=False)

        assert await flights.follow("t", "a", "r-1", 0) == News((b"0",), ended=False, held=True)

    async def test_telling_nothing_tells_who_follows_and_holds_the_fill(
        self, response_cache: ResponseCache, flights: Flights, other_flights: Flights, clock: ManualClock
    ) -> None:
        fill = await filled(response_cache, "t", "a")
        clock.advance(LEASE_US - 1)
        assert await flights.tell(fill, 0, (), LEASE_US) == Heard(0, followed=False)
        clock.advance(LEASE_US - 1)

        assert await other_flights.follow("t", "a", "r-1", 0) == News((), ended=False, held=True)
        clock.advance(1)
        assert await flights.tell(fill, 0, (), LEASE_US) is None
        assert await other_flights.follow("t", "a", "r-1", 0) == NOTHING

    async def test_a_fill_that_is_told_under_keeps_others_away_and_stores_after_its_first_time(
        self, response_cache: ResponseCache, flights: Flights, clock: ManualClock
    ) -> None:
        fill = await filled(response_cache, "t", "a")
        clock.advance(LEASE_US - 1)
        await flights.tell(fill, 0, (), LEASE_US)
        clock.advance(LEASE_US - 1)

        assert await response_cache.acquire_fill("t", "a", "r-2", LEASE_US) == FillHeld(1, "r-1")
        assert await response_cache.put("t", "a", reply(), TTL_US, fill)

    async def test_a_flight_is_followed_for_a_while_after_a_question(
        self, response_cache: ResponseCache, flights: Flights, other_flights: Flights, clock: ManualClock
    ) -> None:
        clock.advance(57)  # No microsecond that a number with 14 digits could tell.
        fill = await filled(response_cache, "t", "a", ttl_us=2 * FOLLOWED_US)
        await other_flights.follow("t", "a", "r-1", 0)

        clock.advance(FOLLOWED_US - 1)
        assert await flights.tell(fill, 0, (), 2 * FOLLOWED_US) == Heard(0, followed=True)
        clock.advance(1)
        assert await flights.tell(fill, 0, (), 2 * FOLLOWED_US) == Heard(0, followed=False)

    async def test_questions_to_others_are_none_to_this_flight(
        self, response_cache: ResponseCache, flights: Flights, other_flights: Flights
    ) -> None:
        fill = await filled(response_cache, "t", "a")
        await filled(response_cache, "t", "b")
        await filled(response_cache, "u", "a")

        for scope, key, owner in (("t", "a", "r-2"), ("t", "b", "r-1"), ("u", "a", "r-1")):
            await other_flights.follow(scope, key, owner, 0)

        assert await flights.tell(fill, 0, (), LEASE_US) == Heard(0, followed=False)

    @pytest.mark.parametrize("owner", ["r-2", "a:r-1", ""])
    async def test_frames_of_others_are_not_read(
        self, response_cache: ResponseCache, flights: Flights, owner: str
    ) -> None:
        fill = await filled(response_cache, "t", "a:b")
        await flights.tell(fill, 0, (b"secret",), LEASE_US)

        assert await flights.follow("t", "a:b", owner, 0) == NOTHING
        assert await flights.follow("u", "a:b", "r-1", 0) == NOTHING
        assert await flights.follow("t", "a", "b:r-1", 0) == NOTHING

    async def test_one_answer_has_a_bounded_part(self, response_cache: ResponseCache, flights: Flights) -> None:
        fill = await filled(response_cache, "t", "a")
        frames = [b"x" * size for size in (NEWS_BYTES + 1, 400, 600, 1, 999, *[30] * 40)]
        await flights.tell(fill, 0, frames, LEASE_US, last=True)

        read: list[int] = []
        while not (news := await flights.follow("t", "a", "r-1", sum(read))).ended:
            assert list(news.frames) == frames[sum(read) : sum(read) + len(news.frames)]
            read.append(len(news.frames))

        assert [*read, len(news.frames)] == [1, 2, 2, 33, 7]

    async def test_one_answer_has_a_bounded_number_of_frames(
        self, response_cache: ResponseCache, flights: Flights
    ) -> None:
        fill = await filled(response_cache, "t", "a")
        await flights.tell(fill, 0, [b""] * (NEWS_FRAMES + 1), LEASE_US, last=True)

        first = await flights.follow("t", "a", "r-1", 0)

        assert (len(first.frames), first.ended) == (NEWS_FRAMES, False)
        assert await flights.follow("t", "a", "r-1", NEWS_FRAMES) == News((b"",), ended=True, held=True)
