import asyncio
from contextlib import suppress

from application.caching.flight import Flight
from application.caching.frames import pack
from application.caching.whole_frames import LARGEST_TOLD_BYTES, pack_whole
from application.errors import StateUnavailable
from application.ports.clock import Clock
from application.ports.flights import Flights
from application.ports.response_cache import ResponseCache
from domain.chat import Reply
from domain.durations import SECOND_US
from domain.response_cache import CachedReply, Fill

HOLD_US = 2 * SECOND_US
"""How long a fill outlives the gateway that holds it."""

_BEAT_US = SECOND_US // 2
_FLUSH_US = SECOND_US // 40
_PORTION = 256
_PARTS = 4
_TELLS = _PUTS = 3


class Hold:
    """Keeps a fill while its reply is under way, and tells the reply to other gateways that wait for it.

    Nothing is told before somebody waits: then all that has come so far, and what comes after it, 40 times a second.
    """

    def __init__(
        self,
        cache: ResponseCache,
        flights: Flights,
        clock: Clock,
        fill: Fill,
        flight: Flight,
        hold_us: int = HOLD_US,
    ) -> None:
        self._cache = cache
        self._flights = flights
        self._clock = clock
        self._fill = fill
        self._flight = flight
        self._hold_us = hold_us
        self._told = 0
        self._parts: list[bytes] = []
        self._telling = asyncio.Lock()
        self.is_lost = False

    @property
    def followed(self) -> bool:
        """Whether other gateways wait for the reply, as far as it is known."""
        return self._flight.followed

    async def run(self) -> None:
        """Until the fill is lost; ends by cancellation."""
        while not self.is_lost:
            await self._clock.sleep(_FLUSH_US if self.followed else _BEAT_US)
            with suppress(StateUnavailable):
                await self.beat()

    async def pause(self) -> None:
        """For as long as may pass between two beats."""
        await self._clock.sleep(_BEAT_US)

    async def beat(self, *, last: bool = False) -> None:
        """Holds it for longer, and learns whether somebody waits. `last`: no more comes. Raises StateUnavailable."""
        async with self._telling:
            # The store may turn out to have lost some: they are told again, and once is enough.
            for _ in range(len(self._flight.batches) // _PORTION + len(self._parts) // _PARTS + 2):
                if await self._tell(last=last) or self.is_lost:
                    return

    async def _tell(self, *, last: bool) -> bool:
        """Tells the next of what has come; whether that was all that is to be told."""
        frames = self._next_frames() if self.followed else []
        is_end = not self.followed or self._told + len(frames) == (len(self._parts) or len(self._flight.batches))
        heard = await self._flights.tell(
            self._fill, self._told, frames, self._hold_us, last=last and self.followed and is_end
        )
        if heard is None:
            self.is_lost = True
            self._flight.note_followed(followed=False)
            return True
        is_heard = heard.count == self._told + len(frames)
        self._told = heard.count
        self._flight.note_followed(followed=heard.followed)
        return is_end and is_heard

    def _next_frames(self) -> list[bytes]:
        start = self._told
        if self._parts:
            return self._parts[start : start + _PARTS]
        return [pack(batch) for batch in self._flight.batches[start : start + _PORTION]]

    async def give(self, reply: CachedReply | None, ttl_us: int) -> None:
        """No more comes: tells the rest, and stores the reply. None: there is none to be stored.

        A whole reply is told only where the store does not have it: those who wait find it there.
        """
        if self._flight.batches:
            await self._tell_rest()
        if reply is not None and await self._put(reply, ttl_us):
            return
        whole = self._flight.reply
        if not self._flight.batches and whole is not None and len(whole.body) <= LARGEST_TOLD_BYTES:
            await self._tell_rest(whole)
        await self.give_up()

    async def _tell_rest(self, whole: Reply | None = None) -> None:
        for _ in range(_TELLS):
            with suppress(StateUnavailable):
                await self.beat()
                if self.followed and self._flight.has_landed:
                    self._parts = [] if whole is None else pack_whole(whole)
                    await self.beat(last=True)
                return
            if not self.followed:
                return
            await self.pause()

    async def _put(self, reply: CachedReply, ttl_us: int) -> bool:
        """A store that is away for a moment is asked again: what came was paid for."""
        for _ in range(_PUTS - 1):
            with suppress(StateUnavailable):
                return await self._cache.put(self._fill.scope, self._fill.key, reply, ttl_us, self._fill)
            await self.pause()
        return await self._cache.put(self._fill.scope, self._fill.key, reply, ttl_us, self._fill)

    async def give_up(self) -> None:
        """Lets others have the fill. Those who wait see that no more comes. Raises StateUnavailable."""
        if not self.is_lost:
            self.is_lost = True
            await self._cache.abandon_fill(self._fill)
