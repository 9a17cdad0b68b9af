"""Server-sent events, cut out of a byte stream however it is fragmented (WHATWG HTML, section 9.2)."""

from codecs import BOM_UTF8
from typing import Final

MAX_EVENT_BYTES: Final = 16 << 20

_PREFIX: Final = b"data: "


class EventTooLarge(ValueError):
    """One event is larger than anyone means it to be."""


class SseParser:
    """Turns network reads into the data of complete events. Names, ids and comments are dropped.

    The usual case, a read of whole single-line events behind `data: `, is one split; the rest goes line by line.
    """

    __slots__ = ("_fresh", "_lines", "_max_event_bytes", "_size", "_skip_lf", "_tail")

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_event_bytes = max_event_bytes
        self._tail = bytearray()
        self._lines: list[bytes] = []
        self._size = 0
        self._skip_lf = False
        self._fresh = True

    def feed(self, read: bytes) -> list[bytes]:
        """The data of the events that `read` completes.

        Raises:
            EventTooLarge: An event exceeds the maximum, complete or not.
        """
        if self._tail or self._lines or self._skip_lf or b"\r" in read or not read.startswith(_PREFIX):
            return self._feed_lines(read)
        if len(read) > self._max_event_bytes:
            return self._feed_lines(read)
        self._fresh = False  # it begins with `data: `: a mark of byte order further on is no beginning
        events = []
        blocks = read.split(b"\n\n")
        rest = blocks.pop()
        for block in blocks:
            if block.startswith(_PREFIX) and b"\n" not in block and len(block) > len(_PREFIX):
                events.append(block[len(_PREFIX) :])
            else:
                events += self._feed_lines(block + b"\n\n")
        return events + self._feed_lines(rest) if rest else events

    def finish(self) -> list[bytes]:
        """The data of an event that the end of the stream completes: some servers save the last blank line."""
        return self._feed_lines(b"\n\n")

    def _feed_lines(self, read: bytes) -> list[bytes]:
        if self._skip_lf and read:
            read = read.removeprefix(b"\n")
            self._skip_lf = False
        if b"\r" in read:
            self._skip_lf = read.endswith(b"\r")
            read = read.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = read.split(b"\n")
        events = []
        for line in lines:
            if self._tail:
                self._tail += line
                line, self._tail = bytes(self._tail), bytearray()  # noqa: PLW2901 - the whole line at last
            if (event := self._take(line)) is not None:
                events.append(event)
        self._tail += rest
        self._check_size(len(self._tail))
        return events

    def _take(self, line: bytes) -> bytes | None:
        if self._fresh:
            self._fresh = False
            line = line.removeprefix(BOM_UTF8)
        if not line:
            return self._dispatch()
        field, colon, value = line.partition(b":")
        if field == b"data":
            value = value.removeprefix(b" ") if colon else b""
            self._check_size(len(value))
            self._lines.append(value)
            self._size += len(value) + 1
        return None

    def _dispatch(self) -> bytes | None:
        lines, self._lines, self._size = self._lines, [], 0
        return b"\n".join(lines) or None

    def _check_size(self, more: int) -> None:
        if self._size + more > self._max_event_bytes:
            raise EventTooLarge(f"an event of the stream is larger than {self._max_event_bytes} bytes")
