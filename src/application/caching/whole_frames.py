"""A whole reply as frames, for gateways that wait for one which the store does not take."""

import json
import struct
from collections.abc import Sequence
from dataclasses import asdict

from application.caching.frames import usage_in
from domain.chat import Reply
from domain.flights import NEWS_BYTES

LARGEST_TOLD_BYTES = 32 * NEWS_BYTES
"""No reply larger than that is told."""

_PART = b"\x80"
"""What such frames begin with. No chunk has a flag of that value."""

_LENGTH = struct.Struct(">I")


def pack_whole(reply: Reply) -> list[bytes]:
    """Its frames, at least one, each about as large as what one answer has."""
    usage = b"" if reply.usage is None else json.dumps(asdict(reply.usage)).encode()
    told = _LENGTH.pack(len(usage)) + usage + reply.body
    return [_PART + told[start : start + NEWS_BYTES] for start in range(0, len(told), NEWS_BYTES)]


def is_part(frame: bytes) -> bool:
    """Whether it is one of those, and not a batch of chunks."""
    return frame.startswith(_PART)


def unpack_whole(frames: Sequence[bytes]) -> Reply:
    """The reply that `pack_whole` was given. Raises ValueError for anything else."""
    told = b"".join(frame[len(_PART) :] for frame in frames)
    if len(told) < _LENGTH.size:
        raise ValueError("no part of a whole reply")
    end = _LENGTH.size + _LENGTH.unpack_from(told)[0]
    if len(told) < end:
        raise ValueError("the usage of a whole reply is cut off")
    return Reply(told[end:], usage_in(told[_LENGTH.size : end]))
