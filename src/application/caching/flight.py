"""A reply under way, and all who wait for it in this process."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, auto
from typing import Self

from application.errors import GatewayError, StreamBroken
from domain.chat import Chunk, Reply
from domain.failure import Failure, FailureKind

_AHEAD = 64


class FlightLost(Exception):
    """Whoever fetched the reply is gone, or gave up for reasons of its own. Nothing has come: ask again."""


class _State(Enum):
    WAITING = auto()
    FLOWING = auto()
    ENDED = auto()
    LOST = auto()


class Flight:
    """Fed by one, read by many. A stream is kept from its beginning, so whoever comes late misses nothing.

    It ends whole, or is lost: before its first content everybody may ask again; after that it is broken.

    Attributes:
        takes_more: Newcomers may still join: it is neither over nor too long to be kept.
        stored_us: When its reply was stored; None where it has just come.
        streams, shows_usage: How whoever fetches it asked; None where another gateway does, and it is not known.
        is_bounded: Where it is cut, that concerns only those whose own reply would have been cut, too.
        readers: How many wait for it or read it.
        furthest: How many batches its fastest reader has had.
        followed: Other gateways wait for it.
    """

    def __init__(self) -> None:
        self.batches: list[tuple[Chunk, ...]] = []
        self.reply: Reply | None = None
        self.stored_us: int | None = None
        self.streams = False
        self.shows_usage: bool | None = None
        self.is_bounded = False
        self.takes_more = True
        self.readers = 0
        self.furthest = 0
        self.followed = False
        self.on_deserted: Callable[[], None] | None = None
        self._state = _State.WAITING
        self._error: GatewayError | None = None
        self._waiting: set[asyncio.Future[None]] = set()
        self._wholes = 0

    @property
    def is_over(self) -> bool:
        """Nothing more comes."""
        return self._state in {_State.ENDED, _State.LOST}

    @property
    def has_landed(self) -> bool:
        """All of it has come."""
        return self._state is _State.ENDED

    async def room(self) -> None:
        """Returns when its fastest reader is not far behind, nobody here reads it piece by piece, or others follow."""
        while self.readers > self._wholes == 0 and len(self.batches) - self.furthest > _AHEAD and not self.followed:
            await self._news()

    def note_followed(self, *, followed: bool) -> None:
        """Whether other gateways wait for it: they are never held up by a reader here."""
        if followed is not self.followed:
            self.followed = followed
            self._wake()

    def has_read(self, count: int) -> None:
        """A reader has had so many batches."""
        if count > self.furthest:
            self.furthest = count
            if not self.takes_more:
                self._wake()

    def push(self, batch: tuple[Chunk, ...]) -> None:
        """More of a stream."""
        self.batches.append(batch)
        if self._state is _State.WAITING and any(chunk.content for chunk in batch):
            self._state = _State.FLOWING
        self._wake()

    def land(self, reply: Reply | None) -> None:
        """All of it has come. `reply`: the whole, None of a stream that has no reply which says the same."""
        self.reply = reply
        self._end(_State.ENDED)

    def lose(self, error: GatewayError | None = None) -> None:
        """No more comes. `error`: what any of its readers would have met; None where they should ask again."""
        if not self.is_over:
            self._error = error
            self._end(_State.LOST)

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Counted among its readers for as long."""
        self.join()
        try:
            yield
        finally:
            self.leave()

    def join(self) -> None:
        """One more reads it."""
        self.readers += 1

    def leave(self) -> None:
        """One reads it no more; the last one may end it."""
        self.readers -= 1
        if self.readers == 0 and not self.is_over:
            self._wake()
            if self.on_deserted is not None:
                self.on_deserted()

    async def shows_content(self) -> bool:
        """Whether it is a stream: returns when that has content, or with False when a whole reply is there.

        Raises:
            FlightLost: Ask again.
            GatewayError: As whoever fetched it met.
        """
        while self._state is _State.WAITING:
            await self._news()
        self._refuse_lost()
        return bool(self.batches)

    async def whole(self) -> Reply:
        """The reply, when all of it has come. Raises as `shows_content`; also where a stream is no whole reply."""
        self._wholes += 1
        self._wake()
        try:
            while not self.is_over:
                await self._news()
        finally:
            self._wholes -= 1
        self._refuse_lost()
        if self.reply is None:
            raise FlightLost
        return self.reply

    async def batch(self, number: int) -> tuple[Chunk, ...] | None:
        """The one of that number, from 0; None after the last. Raises StreamBroken where it was lost before."""
        while number >= len(self.batches):
            if self._state is _State.ENDED:
                return None
            if self._state is _State.LOST:
                raise self._error if isinstance(self._error, StreamBroken) else _broken()
            await self._news()
        return self.batches[number]

    def _refuse_lost(self) -> None:
        if self._state is _State.LOST:
            raise FlightLost if self._error is None else self._error

    def _end(self, state: _State) -> None:
        self._state = state
        self.takes_more = False
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, set()
        for each in waiting:
            if not each.done():
                each.set_result(None)

    async def _news(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        try:
            await waiter
        finally:
            self._waiting.discard(waiter)


class FlightReader:
    """One reader's way through a stream. Its usage chunk shows where this reader asked for it."""

    def __init__(self, flight: Flight, *, shows_usage: bool, on_end: Callable[[str], None]) -> None:
        self._flight = flight
        self._shows_usage = shows_usage
        self._on_end: Callable[[str], None] | None = on_end
        self._next = 0
        self._has_content = False
        flight.join()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[Chunk, ...]:
        try:
            batch = await self._flight.batch(self._next)
        except StreamBroken:
            self._end("stream_broken")
            raise
        except asyncio.CancelledError:
            self._end("cancelled")
            raise
        if batch is None:
            self._end("success")
            raise StopAsyncIteration
        self._next += 1
        self._flight.has_read(self._next)
        if self._shows_usage is self._flight.shows_usage:
            return batch
        return tuple(self._shown(chunk) for chunk in batch)

    async def aclose(self) -> None:
        """The reader goes; where the stream has not ended, it goes on for the others."""
        self._end("cancelled")

    def _shown(self, chunk: Chunk) -> Chunk:
        """As it would have come to this reader alone: hidden where it is there for usage, which it did not ask for."""
        self._has_content = self._has_content or chunk.content
        if chunk.usage is None or chunk.content:
            return chunk
        is_extra = self._has_content or not json.loads(chunk.data).get("choices")
        return chunk._replace(visible=self._shows_usage or not is_extra)

    def _end(self, outcome: str) -> None:
        if self._on_end is not None:
            on_end, self._on_end = self._on_end, None
            self._flight.leave()
            on_end(outcome)


def _broken() -> StreamBroken:
    failure = Failure(FailureKind.BROKEN_REPLY, "the gateway that received it is gone", ambiguous=True)
    return StreamBroken("the stream broke off: the gateway that received it is gone", failure=failure)
