"""AWS's event stream: binary messages with checksums, cut out of a reply's bytes however these are fragmented.

Each message is a prelude (its length, its headers' length, a CRC), typed headers, a payload and a CRC over all.
"""

import json
import struct
from enum import Enum, auto
from typing import Any, Final, NamedTuple

# A prelude and the last CRC; and what nobody means a message to be.
_LEAST_BYTES: Final = 16
_MAX_BYTES: Final = 16 << 20
_LENGTH_BYTES: Final = 4


class FrameKind(Enum):
    """What a message is. BROKEN and END are the parser's own: the stream can't be read on, or its bytes have ended."""

    EVENT = auto()
    EXCEPTION = auto()
    BROKEN = auto()
    END = auto()


class Frame(NamedTuple):
    """One message. `name`: of the event or of the exception; of a broken one, what is wrong."""

    kind: FrameKind
    name: str = ""
    payload: bytes = b""


_END: Final = Frame(FrameKind.END)


class EventFrames:
    """One stream's messages, decoded and checked by botocore, which is given one at a time: it copies what waits."""

    __slots__ = ("_buffer", "_held", "_unreadable")

    def __init__(self) -> None:
        from botocore.eventstream import (  # type: ignore[import-untyped]  # noqa: PLC0415 - only Bedrock needs it
            EventStreamBuffer,
            ParserError,
        )

        self._buffer = EventStreamBuffer()
        self._unreadable = (ParserError, struct.error, LookupError, ValueError)
        self._held = bytearray()

    def feed(self, read: bytes) -> list[Frame]:
        """The messages that `read` completes; the last of them is BROKEN where the stream can't be read on."""
        held = self._held
        held += read
        ends, is_sound = _ends(held)
        frames: list[Frame] = []
        start = 0
        try:
            for end in ends:
                self._buffer.add_data(bytes(held[start:end]))
                frames.append(_frame(next(self._buffer)))
                start = end
        except self._unreadable as error:
            frames.append(Frame(FrameKind.BROKEN, type(error).__name__))
        if not is_sound:
            frames.append(Frame(FrameKind.BROKEN, "a message's length"))
        del held[:start]
        return frames

    def finish(self) -> list[Frame]:
        """That nothing more comes; what is not whole is nothing."""
        return [_END]


def _ends(held: bytearray) -> tuple[list[int], bool]:
    """Where each whole message ends, and whether what follows can become one."""
    ends: list[int] = []
    start = 0
    while len(held) - start >= _LENGTH_BYTES:
        length = int.from_bytes(held[start : start + _LENGTH_BYTES], "big")
        if not _LEAST_BYTES <= length <= _MAX_BYTES:
            return ends, False
        if len(held) - start < length:
            break
        start += length
        ends.append(start)
    return ends, True


def _frame(message: Any) -> Frame:
    headers = message.headers
    match headers.get(":message-type"):
        case "event":
            return Frame(FrameKind.EVENT, str(headers.get(":event-type")), message.payload)
        case "exception":
            return Frame(FrameKind.EXCEPTION, str(headers.get(":exception-type")), message.payload)
        case "error":
            # Has its words in its headers.
            said = json.dumps({"message": str(headers.get(":error-message", ""))}).encode()
            return Frame(FrameKind.EXCEPTION, str(headers.get(":error-code")), said)
        case _:
            return Frame(FrameKind.EVENT)
