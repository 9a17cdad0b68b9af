"""Replies in this process's memory, bounded in bytes: the least recently used make room."""

import heapq
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from adapters.outbound.memory.fills import Fills
from application.ports.clock import Clock
from application.ports.response_cache import LARGEST_ENTRY_BYTES, ResponseCache
from domain.response_cache import (
    LONGEST_TTL_US,
    CachedReply,
    CacheStats,
    CacheUse,
    Fill,
    FillHeld,
    counted_as,
    is_valid,
)

MAX_BYTES = 268_435_456
_SCOPES_COUNTED = 10_000
_SPARE_EXPIRIES = 1_000

_Place = tuple[str, str]


@dataclass(slots=True)
class _Entry:
    reply: CachedReply
    expires_us: int
    number: int
    fill: Fill | None


@dataclass(slots=True)
class _Scope:
    generation: int
    keys: set[str] = field(default_factory=set)
    bytes: int = 0
    stores: int = 0
    evictions: int = 0
    uses: dict[str, CacheUse] = field(default_factory=dict)

    def stats(self) -> CacheStats:
        total = sum(self.uses.values(), CacheUse())
        happened = (total.hits, total.misses, self.stores, self.evictions)
        return CacheStats(*happened, len(self.keys), self.bytes, total.bypasses, dict(self.uses))


class MemoryResponseCache:
    """Each method runs without a pause, so it is atomic."""

    def __init__(
        self,
        clock: Clock,
        max_bytes: int = MAX_BYTES,
        max_entry_bytes: int = LARGEST_ENTRY_BYTES,
        fills: Fills | None = None,
    ) -> None:
        """`fills` are shared with the MemoryFlights that go with it."""
        self._clock = clock
        self._max_bytes = max_bytes
        self._max_entry_bytes = max_entry_bytes
        self._entries: OrderedDict[_Place, _Entry] = OrderedDict()
        self._expiries: list[tuple[int, int, _Place]] = []
        self._fills = Fills() if fills is None else fills
        self._scopes: OrderedDict[str, _Scope] = OrderedDict()
        self._numbers = count(1)
        self._bytes = 0

    async def get(self, scope: str, key: str) -> CachedReply | None:
        entry = self._live((scope, key), self._clock.now_us())
        if entry is None:
            return None
        self._entries.move_to_end((scope, key))
        return entry.reply

    async def put(self, scope: str, key: str, reply: CachedReply, ttl_us: int, fill: Fill | None = None) -> bool:
        now_us = self._clock.now_us()
        place = (scope, key)
        too_large = len(reply.body) > self._max_entry_bytes or reply.size_bytes > self._max_bytes
        if too_large or (fill is not None and not self._fills.hold(fill, now_us)):
            return not too_large and self._was_stored_by(place, fill, now_us)
        if fill is not None:
            self._fills.drop(fill)
        self._sweep(now_us)
        self._drop(place)
        self._keep(place, _Entry(reply, now_us + min(ttl_us, LONGEST_TTL_US), next(self._numbers), fill))
        self._make_room()
        return True

    async def acquire_fill(self, scope: str, key: str, owner: str, ttl_us: int) -> Fill | FillHeld | CachedReply:
        now_us = self._clock.now_us()
        place = (scope, key)
        entry = self._live(place, now_us)
        if entry is not None:
            return entry.reply
        wanted = Fill(scope, key, owner, str(self._scope(scope).generation), now_us + ttl_us)
        return self._fills.acquire(wanted, now_us)

    async def abandon_fill(self, fill: Fill) -> bool:
        held = self._fills.hold(fill, self._clock.now_us())
        self._fills.drop(fill)
        return held

    async def purge(self, scope: str | None) -> int:
        self._sweep(self._clock.now_us())
        places = [(name, key) for name, kept in self._named(scope) for key in kept.keys]
        for place in places:
            self._drop(place)
        for _, kept in self._named(scope):
            kept.generation = next(self._numbers)
        self._fills.revoke(lambda name: scope in {None, name})
        return len(places)

    async def scopes(self) -> Sequence[str]:
        return tuple(self._scopes)

    async def count(self, scope: str, uses: Mapping[str, CacheUse]) -> None:
        counted = self._scope(scope).uses
        for model, use in uses.items():
            name = counted_as(model, counted, len(counted))
            counted[name] = counted.get(name, CacheUse()) + use

    async def stats(self, scope: str | None = None) -> CacheStats:
        self._sweep(self._clock.now_us())
        return sum((kept.stats() for _, kept in self._named(scope)), CacheStats())

    def _named(self, scope: str | None) -> Iterator[tuple[str, _Scope]]:
        return ((name, kept) for name, kept in self._scopes.items() if scope in {None, name})

    def _live(self, place: _Place, now_us: int) -> _Entry | None:
        entry = self._entries.get(place)
        if entry is None or is_valid(entry.expires_us, now_us):
            return entry
        self._drop(place)
        return None

    def _was_stored_by(self, place: _Place, fill: Fill | None, now_us: int) -> bool:
        entry = self._live(place, now_us)
        return entry is not None and entry.fill is not None and fill is not None and entry.fill.is_same(fill)

    def _scope(self, name: str) -> _Scope:
        """Its counts. Those of scopes that have nothing stored are forgotten, the longest unused first."""
        kept = self._scopes.get(name)
        if kept is None:
            kept = self._scopes[name] = _Scope(next(self._numbers))
            self._forget_a_scope()
        self._scopes.move_to_end(name)
        return kept

    def _forget_a_scope(self) -> None:
        if len(self._scopes) <= _SCOPES_COUNTED:
            return
        oldest, kept = next(iter(self._scopes.items()))
        if kept.keys:
            self._scopes.move_to_end(oldest)
        else:
            del self._scopes[oldest]

    def _keep(self, place: _Place, entry: _Entry) -> None:
        self._entries[place] = entry
        heapq.heappush(self._expiries, (entry.expires_us, entry.number, place))
        counted = self._scope(place[0])
        counted.keys.add(place[1])
        counted.stores += 1
        counted.bytes += entry.reply.size_bytes
        self._bytes += entry.reply.size_bytes

    def _drop(self, place: _Place) -> None:
        entry = self._entries.pop(place, None)
        if entry is None:
            return
        kept = self._scopes[place[0]]
        kept.keys.discard(place[1])
        kept.bytes -= entry.reply.size_bytes
        self._bytes -= entry.reply.size_bytes

    def _make_room(self) -> None:
        while self._bytes > self._max_bytes:
            place = next(iter(self._entries))
            self._scopes[place[0]].evictions += 1
            self._drop(place)

    def _sweep(self, now_us: int) -> None:
        """Drops what has expired. The list of expiries also holds entries that are gone; it is made anew in time."""
        while self._expiries and self._expiries[0][0] <= now_us:
            _, number, place = heapq.heappop(self._expiries)
            entry = self._entries.get(place)
            if entry is not None and entry.number == number:
                self._drop(place)
        if len(self._expiries) > 2 * len(self._entries) + _SPARE_EXPIRIES:
            self._expiries = [(entry.expires_us, entry.number, place) for place, entry in self._entries.items()]
            heapq.heapify(self._expiries)


_conforms: type[ResponseCache] = MemoryResponseCache
