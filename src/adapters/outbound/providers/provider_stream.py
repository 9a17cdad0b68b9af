"""A provider's open stream, whatever it is made of."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from typing import Final, Generic, Protocol, TypeVar

import httpx

from adapters.outbound.providers.failures import broken_reply, failure_of_transport
from adapters.outbound.providers.sse import EventTooLarge
from adapters.outbound.providers.transport import body_of, let_go
from domain.chat import Chunk
from domain.failure import Failure, ProviderFailed

E = TypeVar("E")

# A comment (providers send them while a model thinks) or part of an event: no timeout for silence applies to that.
_SIGN_OF_LIFE: Final = (Chunk(b"", content=False, visible=False),)


class EventParser(Protocol[E]):
    """Cuts events out of the bytes of a reply, however these are fragmented."""

    def feed(self, read: bytes) -> list[E]:
        """The events that `read` completes. Raises EventTooLarge, and ValueError for what is no such stream."""
        ...

    def finish(self) -> list[E]:
        """What the end of the stream completes."""
        ...


class ProviderStream(ABC, Generic[E]):
    """Chunks of one reply, one batch for each network read.

    What makes the stream complete is its dialect's to say: everything else that ends early is a failure.
    """

    __slots__ = ("_body", "_closed", "_done", "_failure", "_parser", "_read")

    def __init__(self, response: httpx.Response, parser: EventParser[E]) -> None:
        self._body = body_of(response)
        self._read = aiter(self._body).__anext__
        self._parser = parser
        self._failure: Failure | None = None
        self._done = False
        self._closed = False

    def __aiter__(self) -> AsyncIterator[tuple[Chunk, ...]]:
        return self

    async def __anext__(self) -> tuple[Chunk, ...]:
        while not self._closed:
            if self._failure is not None:
                await self._fail(self._failure)
            if self._done:
                await self._end()
                break
            batch = await self._next_batch()
            if batch:
                return batch
            if self._failure is None and not self._done:
                return _SIGN_OF_LIFE
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Closes the connection at once where the stream has not ended."""
        if not self._closed:
            self._closed = True
            await self._body.aclose()

    @abstractmethod
    def _chunks(self, events: list[E], into: list[Chunk]) -> bool:
        """Adds what the events hold to `into`; whether the last event of the stream was among them.

        Raises:
            ProviderFailed: One of them is an error, or nonsense. What came before it is the client's still.
        """

    @abstractmethod
    def _last_chunks(self, events: list[E], into: list[Chunk]) -> bool:
        """The same for what the end of the connection completes; whether the stream is complete without its end."""

    async def _next_batch(self) -> tuple[Chunk, ...]:
        chunks: list[Chunk] = []
        try:
            self._done = self._chunks(self._parser.feed(await self._read()), chunks)
        except StopAsyncIteration:
            self._finish(chunks)
        except ProviderFailed as failed:
            self._failure = failed.failure
        except httpx.TransportError as error:
            self._failure = failure_of_transport(error)
        except EventTooLarge as error:
            self._failure = broken_reply(str(error))
        except asyncio.CancelledError:
            await self.aclose()
            raise
        return tuple(chunks)

    def _finish(self, chunks: list[Chunk]) -> None:
        try:
            self._done = self._last_chunks(self._parser.finish(), chunks)
        except ProviderFailed as failed:
            self._failure = failed.failure
            return
        if not self._done:
            self._failure = broken_reply("the provider's stream ended before it was complete")

    async def _end(self) -> None:
        if not self._closed:
            self._closed = True
            await let_go(self._body)

    async def _fail(self, failure: Failure) -> None:
        await self.aclose()
        raise ProviderFailed(failure)
