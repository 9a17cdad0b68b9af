"""A file of an upload: small ones in memory, larger ones on disk, without a name there."""

import asyncio
import os
import tempfile
import threading
from typing import IO, Final

from application.errors import StateUnavailable
from domain.form import Content

IN_MEMORY_BYTES: Final = 1 << 20
_BATCH_BYTES: Final = 256 << 10


class Spool:
    """Written once, from start to end; then read at any place, by any number of readers.

    The file has no name from the start, so that nothing is left of it however the process ends. Disks are waited for
    in threads. `close` may come at any time: whoever reads then is told, and never reads another's file.
    """

    def __init__(self) -> None:
        self._memory = bytearray()
        self._file: IO[bytes] | None = None
        self._lock = threading.Lock()
        self._is_closed = False
        self._size_bytes = 0

    @property
    def size_bytes(self) -> int:
        """All that was written."""
        return self._size_bytes

    async def write(self, data: bytes) -> None:
        """Adds to the end. Raises StateUnavailable where the disk does not take it."""
        self._memory += data
        self._size_bytes += len(data)
        most_bytes = IN_MEMORY_BYTES if self._file is None else _BATCH_BYTES
        if len(self._memory) > most_bytes:
            await self._flush()

    async def finish(self) -> None:
        """Everything has been written. Raises as `write`."""
        if self._file is not None:
            await self._flush()

    async def read(self, start: int, size: int) -> bytes:
        """What is there. Raises ValueError after `close`."""
        if self._file is None and not self._is_closed:
            return bytes(self._memory[start : start + size])
        return await asyncio.to_thread(self._read, start, size)

    def close(self) -> None:
        """Gives memory and disk back."""
        with self._lock:
            self._is_closed = True
            self._memory.clear()
            if self._file is not None:
                self._file.close()

    async def _flush(self) -> None:
        data = bytes(self._memory)
        self._memory.clear()
        try:
            await asyncio.to_thread(self._append, data)
        except OSError as error:
            raise StateUnavailable("the disk can't take an upload at present: try again later") from error

    def _append(self, data: bytes) -> None:
        with self._lock:
            if self._is_closed:
                return
            if self._file is None:
                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - it outlives this call
            view = memoryview(data)
            while view:
                view = view[os.write(self._file.fileno(), view) :]

    def _read(self, start: int, size: int) -> bytes:
        with self._lock:
            if self._is_closed or self._file is None:
                raise ValueError("the request of this upload is over")
            pieces = []
            while size > 0 and (piece := os.pread(self._file.fileno(), size, start)):
                pieces.append(piece)
                start, size = start + len(piece), size - len(piece)
            return b"".join(pieces)


_conforms: type[Content] = Spool
