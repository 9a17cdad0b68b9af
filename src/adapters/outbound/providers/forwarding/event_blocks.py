"""Whole events of a stream as they stand there, for passing them on untouched."""

import re
from typing import Final

from adapters.outbound.providers.sse import MAX_EVENT_BYTES, EventTooLarge

_END: Final = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_LONGEST_END: Final = 4
_DATA: Final = re.compile(rb"(?:^|[\r\n])data:[ ]?([^\r\n]*)")


class EventBlocks:
    """Cuts a stream after blank lines, however it is fragmented. A block is never split over two results."""

    __slots__ = ("_kept", "_searched")

    def __init__(self) -> None:
        self._kept = bytearray()
        self._searched = 0

    def feed(self, read: bytes) -> list[bytes]:
        """The events that `read` completes. Raises EventTooLarge."""
        self._kept += read
        blocks, done = [], 0
        for end in _END.finditer(self._kept, self._searched):
            blocks.append(bytes(self._kept[done : end.end()]))
            done = end.end()
        del self._kept[:done]
        self._searched = max(0, len(self._kept) - _LONGEST_END)
        if len(self._kept) > MAX_EVENT_BYTES:
            raise EventTooLarge(f"an event of the stream is larger than {MAX_EVENT_BYTES} bytes")
        return blocks

    def finish(self) -> list[bytes]:
        """What the end of the stream completes."""
        rest = bytes(self._kept)
        self._kept.clear()
        return [rest + b"\n\n"] if rest.strip() else []


def data_of(block: bytes) -> bytes:
    """The data of one event; empty for a comment."""
    return b"\n".join(_DATA.findall(block))
