"""A stream whose chunks are another stream's, each in other words."""

from collections.abc import AsyncIterator, Callable

from application.ports.provider import ChunkStream
from domain.chat import Chunk


class MappedStream:
    """Batches stay as they are."""

    __slots__ = ("_inner", "_map")

    def __init__(self, inner: ChunkStream, each: Callable[[Chunk], Chunk]) -> None:
        self._inner = inner
        self._map = each

    def __aiter__(self) -> AsyncIterator[tuple[Chunk, ...]]:
        return self

    async def __anext__(self) -> tuple[Chunk, ...]:
        return tuple(map(self._map, await anext(self._inner)))

    async def aclose(self) -> None:
        """Closes the other one."""
        await self._inner.aclose()


_conforms: type[ChunkStream] = MappedStream
