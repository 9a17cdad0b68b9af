"""Streams packed to be kept, with the thread that long ones are packed in."""

import pytest

from application.caching.packing import Packing
from domain.chat import Chunk, Usage

SHORT = [(Chunk(b'{"text":"moon"}'),), (Chunk(b"{}", content=False, usage=Usage(1, 2), visible=False),)]
LONG: list[tuple[Chunk, ...]] = [
    (Chunk(b'{"id":"chatcmpl-1","choices":[{"index":0,"delta":{"content":"%d"}}]}' % n),) for n in range(5_000)
]


@pytest.mark.parametrize("batches", [[], SHORT, LONG])
async def test_a_stream_comes_out_as_it_went_in(batches: list[tuple[Chunk, ...]]) -> None:
    packing = Packing()
    assert await packing.unpack(await packing.pack(batches)) == batches


async def test_of_framing_little_remains() -> None:
    raw_bytes = sum(len(chunk.data) for (chunk,) in LONG)
    assert len(await Packing().pack(LONG)) < raw_bytes / 8


@pytest.mark.parametrize("batches", [SHORT, LONG])
async def test_what_is_no_packed_stream_is_refused(batches: list[tuple[Chunk, ...]]) -> None:
    packing = Packing()
    packed = await packing.pack(batches)
    longer = (int.from_bytes(packed[:4], "big") + 1).to_bytes(4, "big") + packed[4:]
    shorter = (int.from_bytes(packed[:4], "big") - 1).to_bytes(4, "big") + packed[4:]
    for wrong in (b"", packed[:3], packed[:-20], packed[:4] + b"plain", longer, shorter):
        with pytest.raises(ValueError, match="packed frames"):
            await packing.unpack(wrong)
