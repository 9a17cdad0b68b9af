"""Pipes that take nothing more, as where a log is piped to a program that hangs."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

ROOM_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class Pipe:
    """One end that is written to, and what a test does at the other."""

    stream: io.TextIOWrapper
    reading: int

    def fill(self) -> int:
        """Leaves no room; how much was written for that."""
        descriptor, filled = self.stream.fileno(), 0
        os.set_blocking(descriptor, False)
        try:
            while True:
                filled += os.write(descriptor, bytes(ROOM_BYTES))
        except BlockingIOError:
            return filled
        finally:
            os.set_blocking(descriptor, True)

    def read(self, count: int) -> bytes:
        """So much of what was written, or all of it."""
        return os.read(self.reading, count)


@contextmanager
def pipe() -> Iterator[Pipe]:
    """Both ends, until the end of the block."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        try:
            yield Pipe(stream, reading)
        finally:
            os.close(reading)
