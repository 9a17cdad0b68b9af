import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from application.background import Background
from application.caching.bounded import is_bounded, owner_name, owns_bounded
from application.caching.cache_keys import Place
from application.caching.flight import Flight
from application.caching.following import Following
from application.caching.hold import HOLD_US, Hold
from application.caching.lead import Complete, Lead, Stream
from application.errors import StateUnavailable
from application.gateway_request import Completed, GatewayRequest, Streaming
from application.ports.clock import Clock
from application.ports.flights import Flights
from application.ports.response_cache import ResponseCache
from domain.chat import Endpoint, Reply
from domain.durations import SECOND_US
from domain.response_cache import CachedReply, Fill, FillHeld

Keep = Callable[[Flight, Completed | Streaming], Awaitable[CachedReply | None]]
"""What is stored of a reply that has come; None for nothing."""

_FIRST_PAUSE_US = SECOND_US // 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """A reply that is to be found or fetched.

    Attributes:
        keep, ttl_us: What is stored of it, and for how long.
        hold_us: How long the right to fetch it outlives the process that has it.
        to_its_end: It is fetched to its end though nobody reads it any more.
    """

    place: Place
    request: GatewayRequest
    keep: Keep
    ttl_us: int
    to_its_end: bool = False
    hold_us: int = HOLD_US

    @property
    def endpoint(self) -> Endpoint:
        """What it is a reply of."""
        return self.request.llm.endpoint


@dataclass(slots=True)
class FlightsHere:
    """Replies under way that requests of this process wait for, by their place: at most one at a time for each."""

    cache: ResponseCache
    flights: Flights
    clock: Clock
    complete: Complete
    stream: Stream
    max_bytes: int
    _by_place: dict[Place, Flight] = field(init=False, default_factory=dict)
    _background: Background = field(init=False, default_factory=Background)
    _numbers: "count[int]" = field(init=False, default_factory=count)

    async def board(self, wanted: Wanted) -> Flight | Lead | CachedReply:
        """The flight under way, joined; else one that is led from here, joined; or the reply, where it is stored.

        Whoever has joined a flight must leave it. Raises StateUnavailable.
        """
        flight = self._by_place.get(wanted.place)
        if flight is not None and flight.takes_more:
            flight.join()
            return flight
        flight = self._by_place[wanted.place] = Flight()
        flight.join()
        try:
            found = await self._ask(wanted, flight)
        except BaseException as error:
            self._forget(wanted.place, flight)
            # Nobody who has joined meanwhile need find out for himself that the store is away.
            flight.lose(error if isinstance(error, StateUnavailable) else None)
            raise
        if isinstance(found, CachedReply):
            self._forget(wanted.place, flight)
            flight.stored_us = found.stored_us
            flight.land(Reply(found.body, found.usage))
        return found

    def lead(self, wanted: Wanted, flight: Flight, fill: Fill | None) -> Lead:
        """Calls upstream for all of `flight`. Without a fill the reply replaces what is stored."""
        hold, flight.is_bounded = None, is_bounded(wanted.request)
        if fill is not None:
            hold = Hold(self.cache, self.flights, self.clock, fill, flight, wanted.hold_us)

        async def store(flight: Flight, served: Completed | Streaming | None) -> None:
            self._forget(wanted.place, flight)
            kept = None if served is None else await wanted.keep(flight, served)
            if hold is not None:
                await hold.give(kept, wanted.ttl_us)
            elif kept is not None:
                await self.cache.put(*wanted.place, kept, wanted.ttl_us)

        lead = Lead(wanted.request, flight, store, hold, max_bytes=self.max_bytes, to_its_end=wanted.to_its_end)
        self._background.do(lead.run(self.complete, self.stream))
        return lead

    async def acquire(self, wanted: Wanted) -> Fill | FillHeld | CachedReply:
        """The right to call, who has it, or the reply. Whoever does not hear of the right leaves none behind."""
        owner = owner_name(wanted.request, next(self._numbers))
        asking = asyncio.create_task(self.cache.acquire_fill(*wanted.place, owner, wanted.hold_us))
        try:
            return await asyncio.shield(asking)
        except asyncio.CancelledError:
            self._background.do(self._give_back(wanted, owner, asking))
            raise
        except StateUnavailable:
            if wanted.to_its_end:  # Other rights are over as soon as they could be given back.
                self._background.do(self._give_back(wanted, owner, asking))
            raise

    async def _give_back(self, wanted: Wanted, owner: str, asking: "Awaitable[Fill | FillHeld | CachedReply]") -> None:
        """For as long as it may hold. Where the answer was lost, who asks again by that name gets the same right."""
        waited_us, pause_us = 0, _FIRST_PAUSE_US
        while True:
            with suppress(StateUnavailable):
                found = await asking
                if isinstance(found, Fill):
                    await self.cache.abandon_fill(found)
                return
            if waited_us + pause_us > wanted.hold_us:
                return
            await self.clock.sleep(pause_us)
            waited_us, pause_us = waited_us + pause_us, pause_us * 2
            asking = self.cache.acquire_fill(*wanted.place, owner, wanted.hold_us)

    def end_all(self) -> None:
        """Ends what is still under way."""
        self._background.cancel()

    async def settle(self) -> None:
        """Returns when nothing is under way any more."""
        await self._background.settle()

    async def _ask(self, wanted: Wanted, flight: Flight) -> Flight | Lead | CachedReply:
        found = await self.acquire(wanted)
        match found:
            case CachedReply():
                return found
            case Fill():
                return self.lead(wanted, flight, found)
        flight.is_bounded = owns_bounded(found.owner)
        following = Following(self.flights, self.clock, self.max_bytes)
        self._background.do(self._follow(wanted, flight, following(wanted.place, found.owner, flight, wanted.endpoint)))
        return flight

    async def _follow(self, wanted: Wanted, flight: Flight, following: Coroutine[Any, Any, None]) -> None:
        try:
            await following
        finally:
            self._forget(wanted.place, flight)

    def _forget(self, place: Place, flight: Flight) -> None:
        if self._by_place.get(place) is flight:
            del self._by_place[place]
