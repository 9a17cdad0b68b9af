"""Standard output or error, for a process that must not wait for its reader."""

import os
import select
from typing import Final, TextIO

# Where a pipe has room at all, it takes as much at once.
_PIECE_BYTES: Final = select.PIPE_BUF


class Outlet:
    """Writes to a stream where that takes no waiting. It may be None, closed, full, or without a reader.

    What is left of a long text that was begun comes before the next one, so that no line is cut.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._rest = b""

    @property
    def is_terminal(self) -> bool:
        """Whether a person reads it."""
        try:
            return self._stream is not None and self._stream.isatty()
        except (OSError, ValueError):
            return False

    def put(self, text: str) -> bool:
        """Whether it was written, at least its beginning."""
        if self._stream is None:
            return False
        try:
            descriptor = _descriptor_of(self._stream)
            if descriptor is None:
                self._stream.write(text)
                self._stream.flush()
                return True
            return self._put(descriptor, text.encode(self._stream.encoding, "backslashreplace"))
        except (OSError, ValueError):
            return False

    def _put(self, descriptor: int, data: bytes) -> bool:
        self._rest = _left_of(self._rest, descriptor)
        if self._rest or not _has_room(descriptor):
            return False
        self._rest = _left_of(data, descriptor)
        return True


def _descriptor_of(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except OSError:  # of no file: `io.UnsupportedOperation`
        return None


def _left_of(data: bytes, descriptor: int) -> bytes:
    while data and _has_room(descriptor):
        data = data[os.write(descriptor, data[:_PIECE_BYTES]) :]
    return data


def _has_room(descriptor: int) -> bool:
    return bool(select.select([], [descriptor], [], 0)[1])
