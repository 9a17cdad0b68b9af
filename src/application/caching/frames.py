"""Batches of chunks as bytes, for gateways that wait for the stream of another one."""

import json
import struct
from dataclasses import asdict

from domain.chat import Chunk, Usage

_HEAD = struct.Struct(">BHI")
_CONTENT, _VISIBLE = 1, 2


def pack(batch: tuple[Chunk, ...]) -> bytes:
    """One frame, for one batch."""
    return b"".join(map(_pack_one, batch))


def unpack(frame: bytes) -> tuple[Chunk, ...]:
    """The batch that `pack` was given. Raises ValueError for anything else."""
    chunks, at = [], 0
    while at < len(frame):
        if at + _HEAD.size > len(frame):
            raise ValueError("a frame ends within a chunk")
        flags, usage_bytes, data_bytes = _HEAD.unpack_from(frame, at)
        middle = at + _HEAD.size + usage_bytes
        usage, data, at = frame[at + _HEAD.size : middle], frame[middle : middle + data_bytes], middle + data_bytes
        if at > len(frame):
            raise ValueError("a frame ends within a chunk")
        used = Usage(**json.loads(usage)) if usage else None
        chunks.append(Chunk(data, bool(flags & _CONTENT), used, bool(flags & _VISIBLE)))
    return tuple(chunks)


def _pack_one(chunk: Chunk) -> bytes:
    usage = b"" if chunk.usage is None else json.dumps(asdict(chunk.usage)).encode()
    flags = _CONTENT * chunk.content | _VISIBLE * chunk.visible
    return _HEAD.pack(flags, len(usage), len(chunk.data)) + usage + chunk.data
