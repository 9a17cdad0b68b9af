"""What a journal file consists of: frames, each its length, the CRC-32 of its payload, and the payload.

A payload is the kind, the record id after its length, and the body.
"""

from collections.abc import Iterator
from enum import IntEnum
from struct import Struct
from typing import NamedTuple
from zlib import crc32


class FrameKind(IntEnum):
    """What a frame says of its record. SETTLED: it is delivered, withdrawn, or in another file now."""

    INTENT = 1
    OUTCOME = 2
    SETTLED = 3


class Frame(NamedTuple):
    """One frame; `end` is where the next one starts."""

    kind: int
    id: str
    body: bytes
    end: int


_HEADER = Struct("<II")
_START = Struct("<BH")


def frame(kind: FrameKind, record_id: str, body: bytes = b"") -> bytes:
    """The bytes of one frame."""
    name = record_id.encode("utf-8", "surrogatepass")
    payload = _START.pack(kind, len(name)) + name + body
    return _HEADER.pack(len(payload), crc32(payload)) + payload


def frames(data: bytes) -> Iterator[Frame]:
    """The frames from the start of `data`, up to the first that is torn or damaged."""
    at = 0
    while len(data) - at >= _HEADER.size:
        length, checksum = _HEADER.unpack_from(data, at)
        start, at = at + _HEADER.size, at + _HEADER.size + length
        # A hole that a dead machine leaves is full of zeros, and the CRC of nothing is zero too.
        if length < _START.size or at > len(data) or crc32(payload := data[start:at]) != checksum:
            return
        kind, id_bytes = _START.unpack_from(payload)
        body = _START.size + id_bytes
        # The CRC of four bytes of ones is all ones: it proves less than it seems.
        if body > len(payload):
            return
        try:
            record_id = payload[_START.size : body].decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return
        yield Frame(kind, record_id, payload[body:], at)
