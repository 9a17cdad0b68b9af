"""A provider behind respx: what it is asked, and what it answers."""

from collections.abc import AsyncIterator, Iterable

import httpx
import respx

from adapters.outbound.providers.openai_compatible import OpenAICompatibleProvider
from adapters.outbound.providers.openai_config import OpenAICompatibleConfig
from application.ports.provider import ChunkStream
from domain.chat import Chunk

SSE = {"content-type": "text/event-stream"}


class Pieces(httpx.AsyncByteStream):
    """A body in the given pieces, which may end in an error; knows how much was read and whether it was closed."""

    def __init__(self, pieces: Iterable[bytes], error: Exception | None = None) -> None:
        self._pieces = iter(pieces)
        self._error = error
        self.read_bytes = 0
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            self.read_bytes += len(piece)
            yield piece
        if self._error is not None:
            raise self._error

    async def aclose(self) -> None:
        self.closed = True


def provider(router: respx.MockRouter, config: OpenAICompatibleConfig | None = None) -> OpenAICompatibleProvider:
    transport = httpx.MockTransport(router.async_handler)
    return OpenAICompatibleProvider(config or OpenAICompatibleConfig("openai", api_key="sk-our-own-key"), transport)


async def drain(stream: ChunkStream) -> list[Chunk]:
    """All chunks but mere signs of life."""
    return [chunk async for batch in stream for chunk in batch if chunk.data]


def sse(*events: bytes) -> bytes:
    return b"".join(b"data: " + event + b"\n\n" for event in events)
