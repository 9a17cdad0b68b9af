"""Batches of chunks as bytes, for gateways that wait for the stream of another one."""

import json
import struct
from collections.abc import Iterable
from dataclasses import asdict, fields

from domain.chat import Chunk, Usage

_HEAD = struct.Struct(">BHI")
_LENGTH = struct.Struct(">I")
_CONTENT, _VISIBLE = 1, 2
_USAGE = {field.name: bool if field.name == "estimated" else int for field in fields(Usage)}


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
        used = usage_in(usage)
        chunks.append(Chunk(data, bool(flags & _CONTENT), used, bool(flags & _VISIBLE)))
    return tuple(chunks)


def pack_all(batches: Iterable[tuple[Chunk, ...]]) -> bytes:
    """All frames in one."""
    frames = [pack(batch) for batch in batches]
    return b"".join(_LENGTH.pack(len(frame)) + frame for frame in frames)


def unpack_all(packed: bytes) -> list[tuple[Chunk, ...]]:
    """The batches that `pack_all` was given. Raises ValueError for anything else."""
    batches, at = [], 0
    while at < len(packed):
        if at + _LENGTH.size > len(packed):
            raise ValueError("frames end within a length")
        (frame_bytes,) = _LENGTH.unpack_from(packed, at)
        at += _LENGTH.size + frame_bytes
        batches.append(unpack(packed[at - frame_bytes : at]))
    return batches


def usage_in(told: bytes) -> Usage | None:
    """The usage that is told there; None for nothing. Raises ValueError for anything else."""
    if not told:
        return None
    try:
        usage = Usage(**json.loads(told))
    except (TypeError, RecursionError) as error:
        raise ValueError("a frame's usage is none") from error
    if any(type(value) is not _USAGE[name] for name, value in asdict(usage).items()):
        raise ValueError("a frame's usage is none")
    return usage


def _pack_one(chunk: Chunk) -> bytes:
    usage = b"" if chunk.usage is None else json.dumps(asdict(chunk.usage)).encode()
    flags = _CONTENT * chunk.content | _VISIBLE * chunk.visible
    return _HEAD.pack(flags, len(usage), len(chunk.data)) + usage + chunk.data
