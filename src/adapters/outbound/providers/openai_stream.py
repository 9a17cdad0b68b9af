"""A provider's open stream."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import httpx

from adapters.outbound.providers.failures import broken_reply, failure_of_transport
from adapters.outbound.providers.openai_chunks import ChunkRelay
from adapters.outbound.providers.sse import EventTooLarge, SseParser
from adapters.outbound.providers.transport import body_of, let_go
from application.ports.provider import ChunkStream
from domain.chat import Chunk
from domain.failure import Failure, ProviderFailed

_DONE: Final = b"[DONE]"

# A comment (providers send them while a model thinks) or part of an event: no timeout for silence applies to that.
_SIGN_OF_LIFE: Final = (Chunk(b"", content=False, visible=False),)


class OpenAIChunkStream:
    """Chunks of one reply, one batch for each network read.

    The stream is complete at `[DONE]`. Servers exist that leave it out; where every choice has its finish reason and
    the connection ends cleanly, that is complete too. Everything else that ends early is a failure.
    """

    __slots__ = ("_body", "_closed", "_done", "_failure", "_parser", "_read", "_relay")

    def __init__(self, response: httpx.Response, relay: ChunkRelay) -> None:
        self._body = body_of(response)
        self._read = aiter(self._body).__anext__
        self._relay = relay
        self._parser = SseParser()
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
            batch = self._batch(await self._next_events())
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

    async def _next_events(self) -> list[bytes]:
        try:
            return self._parser.feed(await self._read())
        except StopAsyncIteration:
            return self._last_events()
        except httpx.TransportError as error:
            self._failure = failure_of_transport(error)
        except EventTooLarge as error:
            self._failure = broken_reply(str(error))
        except asyncio.CancelledError:
            await self.aclose()
            raise
        return []

    def _last_events(self) -> list[bytes]:
        events = self._parser.finish()
        if _DONE in events:
            return events
        # The events may hold the last finish reason, so they are looked at before the verdict: see _batch.
        self._done = True
        return events

    def _batch(self, events: list[bytes]) -> tuple[Chunk, ...]:
        chunks: list[Chunk] = []
        cut = self._done
        read = self._relay.parsed_chunk if cut else self._relay.chunk
        try:
            for data in events:
                if data == _DONE:
                    self._done = True
                    return tuple(chunks)
                chunks.append(read(data))
        except ProviderFailed as failed:
            # What came before it in the same read is the client's still.
            self._failure = failed.failure
            return tuple(chunks)
        if cut and not self._relay.all_finished:
            self._failure = broken_reply("the provider's stream ended before it was complete")
        return tuple(chunks)

    async def _end(self) -> None:
        if not self._closed:
            self._closed = True
            await let_go(self._body)

    async def _fail(self, failure: Failure) -> None:
        await self.aclose()
        raise ProviderFailed(failure)


_conforms: type[ChunkStream] = OpenAIChunkStream
