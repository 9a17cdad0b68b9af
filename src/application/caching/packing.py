"""Streams as bytes that are kept."""

import asyncio
import struct
import zlib
from concurrent.futures import Executor, ThreadPoolExecutor

from application.caching.frames import pack_all, unpack_all
from domain.chat import Chunk

Batches = list[tuple[Chunk, ...]]

_IN_PLACE_BYTES = 65_536
"""So much takes about a millisecond; more is packed in a thread meanwhile."""

_LEVEL = 1
"""Chunks repeat each other but for a few words: the fastest makes them as small as any."""

_RAW_BYTES = struct.Struct(">I")


class Packing:
    """Packs streams and unpacks them. Their chunks are mostly framing, of which little remains."""

    def __init__(self, apart: Executor | None = None) -> None:
        """`apart`: where long ones are packed; by default a thread, one at a time."""
        self._apart = apart or ThreadPoolExecutor(1, "packing")

    async def pack(self, batches: Batches) -> bytes:
        """All of a stream."""
        if sum(len(chunk.data) for batch in batches for chunk in batch) <= _IN_PLACE_BYTES:
            return _pack(batches)
        return await asyncio.get_running_loop().run_in_executor(self._apart, _pack, batches)

    async def unpack(self, packed: bytes) -> Batches:
        """The batches that `pack` was given. Raises ValueError for anything else."""
        if len(packed) < _RAW_BYTES.size:
            raise ValueError("packed frames end within a length")
        (raw_bytes,) = _RAW_BYTES.unpack_from(packed)
        if raw_bytes <= _IN_PLACE_BYTES:
            return _unpack(packed, raw_bytes)
        return await asyncio.get_running_loop().run_in_executor(self._apart, _unpack, packed, raw_bytes)


def _pack(batches: Batches) -> bytes:
    raw = pack_all(batches)
    return _RAW_BYTES.pack(len(raw)) + zlib.compress(raw, _LEVEL)


def _unpack(packed: bytes, raw_bytes: int) -> Batches:
    try:
        # One more than there may be, so that no bound of the length is no bound at all.
        raw = zlib.decompressobj().decompress(memoryview(packed)[_RAW_BYTES.size :], raw_bytes + 1)
    except zlib.error as error:
        raise ValueError("packed frames can't be read") from error
    if len(raw) != raw_bytes:
        raise ValueError("packed frames are not of the length they tell")
    return unpack_all(raw)
