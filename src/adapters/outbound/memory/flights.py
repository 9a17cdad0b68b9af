"""Flights in this process's memory, bounded in bytes: those that were told of longest ago make room."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from adapters.outbound.memory.fills import Fills
from application.ports.clock import Clock
from application.ports.flights import Flights
from domain.durations import SECOND_US
from domain.flights import NEWS_BYTES, Heard, News, is_followed, kept_until, portion, unheard
from domain.response_cache import Fill

MAX_BYTES = 67_108_864
_FRAME_OVERHEAD_BYTES = 48
_FLIGHT_OVERHEAD_BYTES = 1_024

_Place = tuple[str, str, str]


@dataclass(slots=True)
class _Flight:
    token: str
    expires_us: int = 0
    held_us: int = 0
    followed_us: int | None = None
    frames: list[bytes] = field(default_factory=list)
    is_ended: bool = False
    size_bytes: int = _FLIGHT_OVERHEAD_BYTES

    def append(self, frames: Sequence[bytes]) -> int:
        """By how many bytes it grew."""
        grown = sum(len(frame) + _FRAME_OVERHEAD_BYTES for frame in frames)
        self.frames.extend(frames)
        self.size_bytes += grown
        return grown


class MemoryFlights:
    """For the fills of one MemoryResponseCache. Each method runs without a pause, so it is atomic."""

    def __init__(self, clock: Clock, fills: Fills, max_bytes: int = MAX_BYTES, news_bytes: int = NEWS_BYTES) -> None:
        self._clock = clock
        self._fills = fills
        self._max_bytes = max_bytes
        self._news_bytes = news_bytes
        self._flights: OrderedDict[_Place, _Flight] = OrderedDict()
        self._bytes = 0
        self._next_sweep_us = 0
        fills.on_return = self._release

    async def tell(
        self, fill: Fill, first: int, frames: Sequence[bytes], ttl_us: int, *, last: bool = False
    ) -> Heard | None:
        now_us = self._clock.now_us()
        self._sweep(now_us)
        place = (fill.scope, fill.key, fill.owner)
        flight = self._live(place, now_us) or _Flight(fill.token)
        stands = self._fills.stand(fill, now_us)
        # Where a purge has given the fill to another, the flight itself says until when it may be told.
        if flight.token != fill.token or not (stands or now_us < flight.held_us):
            return None
        if stands:
            self._fills.extend(fill, now_us, ttl_us)
            flight.followed_us = self._fills.followed_us(fill)
        self._append(place, flight, unheard(first, frames, len(flight.frames)), last=last)
        if place in self._flights:
            flight.expires_us, flight.held_us = kept_until(now_us, ttl_us), now_us + ttl_us
            self._flights.move_to_end(place)
            self._make_room()
        kept = self._flights.get(place)
        count = 0 if kept is None else len(kept.frames)
        return Heard(count, is_followed(flight.followed_us, now_us))

    async def follow(self, scope: str, key: str, owner: str, after: int) -> News:
        now_us = self._clock.now_us()
        self._sweep(now_us)
        held = self._fills.follow(scope, key, owner, now_us)
        flight = self._live((scope, key, owner), now_us)
        if flight is None:
            return News((), ended=False, held=held)
        held = held or now_us < flight.held_us
        if held:
            flight.followed_us = now_us
        frames = tuple(portion(flight.frames, after, self._news_bytes))
        return News(frames, flight.is_ended and after + len(frames) >= len(flight.frames), held)

    def _append(self, place: _Place, flight: _Flight, frames: Sequence[bytes] | None, *, last: bool) -> None:
        if frames is None or flight.is_ended or not (frames or last):
            return
        flight.is_ended = last
        self._bytes += flight.append(frames)
        if place not in self._flights:
            self._flights[place] = flight
            self._bytes += _FLIGHT_OVERHEAD_BYTES

    def _release(self, fill: Fill) -> None:
        flight = self._flights.get((fill.scope, fill.key, fill.owner))
        if flight is not None and flight.token == fill.token:
            flight.held_us = 0

    def _live(self, place: _Place, now_us: int) -> _Flight | None:
        flight = self._flights.get(place)
        if flight is None or now_us < flight.expires_us:
            return flight
        self._drop(place)
        return None

    def _drop(self, place: _Place) -> None:
        self._bytes -= self._flights.pop(place).size_bytes

    def _make_room(self) -> None:
        while self._bytes > self._max_bytes:
            self._drop(next(iter(self._flights)))

    def _sweep(self, now_us: int) -> None:
        """Drops what nobody can read any more; at most once a second, for it looks at all of them."""
        if now_us < self._next_sweep_us:
            return
        self._next_sweep_us = now_us + SECOND_US
        for place in [place for place, flight in self._flights.items() if now_us >= flight.expires_us]:
            self._drop(place)


_conforms: type[Flights] = MemoryFlights
