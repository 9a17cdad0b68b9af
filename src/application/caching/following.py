from application.caching.cache_keys import Place
from application.caching.flight import Flight
from application.caching.frames import unpack
from application.caching.hold import HOLD_US
from application.caching.whole_frames import is_part, unpack_whole
from application.errors import StateUnavailable
from application.ports.clock import Clock
from application.ports.flights import Flights
from application.replies.assemblies import Assembly, assembly_for
from domain.chat import Endpoint
from domain.durations import SECOND_US
from domain.flights import News

_FIRST_PAUSE_US = SECOND_US // 50
_LONGEST_PAUSE_US = SECOND_US // 10


class Following:
    """Reads, for all in this process who wait for it, a reply that another gateway is fetching."""

    def __init__(self, flights: Flights, clock: Clock, max_bytes: int) -> None:
        self._flights = flights
        self._clock = clock
        self._max_bytes = max_bytes

    async def __call__(self, place: Place, owner: str, flight: Flight, endpoint: Endpoint) -> None:
        """Feeds `flight` until it is over, or nobody reads it.

        Where the other is done without having told anything, the reply is stored, or the fill free.
        """
        try:
            await self._follow(place, owner, flight, assembly_for(endpoint, self._max_bytes))
        except (StateUnavailable, ValueError):
            flight.lose()
        except BaseException:
            flight.lose()
            raise

    async def _follow(self, place: Place, owner: str, flight: Flight, assembly: Assembly) -> None:
        pause_us, parts = _FIRST_PAUSE_US, list[bytes]()
        while flight.readers:
            news = await self._ask(place, owner, len(flight.batches) + len(parts), patient=bool(flight.batches))
            for frame in news.frames:
                if is_part(frame):
                    parts.append(frame)
                    continue
                batch = unpack(frame)
                flight.push(batch)
                assembly.add(batch)
            if news.ended:
                flight.land(unpack_whole(parts) if parts else assembly.reply())
                return
            if not news.held and not news.frames:
                break
            pause_us = _FIRST_PAUSE_US if news.frames else min(_LONGEST_PAUSE_US, pause_us * 5 // 4)
            await self._clock.sleep(pause_us)
        flight.lose()

    async def _ask(self, place: Place, owner: str, after: int, *, patient: bool) -> News:
        """What is new. Raises StateUnavailable where the store stays away for as long as a fill outlives its gateway.

        Earlier where not patient, so that those who can ask again do.
        """
        until_us = self._clock.monotonic_us() + (HOLD_US if patient else _LONGEST_PAUSE_US)
        while True:
            try:
                return await self._flights.follow(*place, owner, after)
            except StateUnavailable:
                if self._clock.monotonic_us() >= until_us:
                    raise
            await self._clock.sleep(_LONGEST_PAUSE_US)
