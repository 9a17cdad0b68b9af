"""The contract of UsageStream, second half: dead letters. Wants the fixtures of UsageStreamContract."""

import asyncio

import pytest

from adapters.testing.usage_stream_contract import appended, delivered
from adapters.testing.virtual_time import ManualClock
from application.ports.usage_stream import UsageStream
from domain.usage_stream import DeadLetter, UsageDepth, UsageEntry

_BINARY = bytes(range(256))


class DeadUsageContract:
    """Dead letters: put aside with a reason, listed, replayed, discarded."""

    async def test_a_dead_letter_says_why_and_is_delivered_no_more(
        self, usage_stream: UsageStream, other_stream: UsageStream, clock: ManualClock
    ) -> None:
        await usage_stream.append(_BINARY, "r-1:1")
        entry = await delivered(usage_stream)

        assert await usage_stream.dead_letter(UsageEntry(entry.id, entry.record, 4), "відмова\r\n")
        assert not await usage_stream.dead_letter(entry, "again")

        letter = DeadLetter("r-1:1", _BINARY, 4, "відмова\r\n", clock.now_us())
        assert await other_stream.list_dead(10) == ([letter], None)
        assert await usage_stream.claim_stale("w", 0, 10) == []
        assert await usage_stream.acknowledge(["r-1:1"]) == 0
        assert await usage_stream.depth() == UsageDepth(0, 0, 1)

    async def test_dead_letters_are_listed_page_by_page(self, usage_stream: UsageStream) -> None:
        names = await appended(usage_stream, 25)
        entries = {entry.id: entry for entry in await usage_stream.read("w", 25, 0)}
        await asyncio.gather(*(usage_stream.dead_letter(entries[name], "no") for name in names))

        pages, after = [], None
        for _ in range(3):
            page, after = await usage_stream.list_dead(10, after)
            pages.append(page)

        assert [len(page) for page in pages] == [10, 10, 5]
        assert sorted(letter.id for page in pages for letter in page) == names
        assert after is None

    async def test_a_cursor_that_no_page_gave_is_refused(self, usage_stream: UsageStream) -> None:
        for after in ("", "x", "-", "a-b-0", "1-2", "1-2-3-4", "\u0661", "1 ", f"{10**30}"):
            with pytest.raises(ValueError, match="expected a cursor"):
                await usage_stream.list_dead(10, after)

    async def test_a_replayed_letter_is_a_new_record(self, usage_stream: UsageStream) -> None:
        await usage_stream.append(b"one", "r-1:1")
        await usage_stream.dead_letter(await delivered(usage_stream), "no")

        assert await usage_stream.replay("r-1:1")

        assert not await usage_stream.replay("r-1:1")
        assert not await usage_stream.append(b"two", "r-1:1")
        assert await usage_stream.depth() == UsageDepth(1, 0, 0)
        assert await delivered(usage_stream) == UsageEntry("r-1:1", b"one", 1)

    async def test_a_discarded_letter_is_gone(self, usage_stream: UsageStream) -> None:
        await usage_stream.append(b"one", "r-1:1")
        await usage_stream.dead_letter(await delivered(usage_stream), "no")

        assert await usage_stream.discard("r-1:1")

        assert not await usage_stream.discard("r-1:1")
        assert not await usage_stream.replay("r-1:1")
        assert await usage_stream.depth() == UsageDepth(0, 0, 0)
        assert await usage_stream.list_dead(10) == ([], None)

    async def test_a_discarded_letter_does_not_come_back_until_it_is_acknowledged(
        self, usage_stream: UsageStream, other_stream: UsageStream
    ) -> None:
        await usage_stream.append(b"one", "r-1:1")
        await usage_stream.dead_letter(await delivered(usage_stream), "no")
        assert await usage_stream.discarded(["r-1:1"]) == []
        await usage_stream.discard("r-1:1")

        assert not await other_stream.append(b"one", "r-1:1")
        assert await other_stream.discarded(["r-2:1", "r-1:1"]) == ["r-1:1"]
        assert await other_stream.acknowledge(["r-1:1"]) == 0

        assert await usage_stream.discarded(["r-1:1"]) == []
        assert await usage_stream.append(b"two", "r-1:1")

    async def test_what_is_alive_is_neither_replayed_nor_discarded(self, usage_stream: UsageStream) -> None:
        await usage_stream.append(b"one", "r-1:1")

        assert not await usage_stream.replay("r-1:1")
        assert not await usage_stream.discard("r-1:1")
        assert await delivered(usage_stream) == UsageEntry("r-1:1", b"one", 1)
