import asyncio

from adapters.outbound.memory.usage_stream import MemoryUsageStream
from adapters.testing.virtual_time import ManualClock
from application.use_cases.dead_letters import DiscardDeadLetter, ListDeadLetters, ReplayDeadLetter
from domain.usage_stream import UsageDepth


async def buried(count: int) -> MemoryUsageStream:
    stream = MemoryUsageStream(ManualClock())
    for number in range(count):
        await stream.append(b"one", f"r-{number}:1")
    for entry in await stream.read("w", count, 0):
        await stream.dead_letter(entry, "no such day")
    return stream


def test_dead_letters_are_listed_in_pages() -> None:
    async def story() -> None:
        listing = ListDeadLetters(await buried(3))

        first = await listing(2)
        last = await listing(2, first.next)

        assert [letter.id for letter in (*first.items, *last.items)] == ["r-0:1", "r-1:1", "r-2:1"]
        assert last.next is None

    asyncio.run(story())


def test_a_dead_letter_is_replayed_or_discarded_once() -> None:
    async def story() -> None:
        stream = await buried(2)

        assert await ReplayDeadLetter(stream)("r-0:1")
        assert not await ReplayDeadLetter(stream)("r-0:1")
        assert await DiscardDeadLetter(stream)("r-1:1")
        assert not await DiscardDeadLetter(stream)("r-1:1")

        assert await stream.depth() == UsageDepth(1, 0, 0)

    asyncio.run(story())
