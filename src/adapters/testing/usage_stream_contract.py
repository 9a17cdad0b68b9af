"""The contract of UsageStream. Inherit it, and that of dead_usage_contract, give them the fixtures named here.

Wants `usage_stream`, empty, whose time is `clock`; `other_stream`: the same store as another gateway sees it; and
`pass_time`: an async function that makes everything pending older by so many microseconds.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from adapters.testing.virtual_time import ManualClock
from application.ports.usage_stream import UsageStream
from domain.usage_stream import UsageDepth, UsageEntry

PassTime = Callable[[int], Awaitable[None]]

IDLE_US = 60_000_000
_BINARY = bytes(range(256))


def ids(entries: Sequence[UsageEntry]) -> list[str]:
    """In an order that does not depend on shards."""
    return sorted(entry.id for entry in entries)


async def appended(stream: UsageStream, count: int) -> list[str]:
    """The ids of so many new records."""
    names = [f"r-{number:04}:1" for number in range(count)]
    assert all(await asyncio.gather(*(stream.append(f"record {name}".encode(), name) for name in names)))
    return names


async def claimed(stream: UsageStream) -> list[UsageEntry]:
    """All that is stale; what was claimed is not, so there is an end."""
    found: list[UsageEntry] = []
    for _ in range(20):
        found.extend(await stream.claim_stale("w2", IDLE_US, 1_000))
    return found


async def delivered(stream: UsageStream, consumer: str = "w") -> UsageEntry:
    """The one record that waits."""
    (entry,) = await stream.read(consumer, 10, 0)
    return entry


class UsageStreamContract:
    """Delivery: each record once, and again when its consumer went silent."""

    async def test_a_record_arrives_as_it_was(self, usage_stream: UsageStream, other_stream: UsageStream) -> None:
        assert await usage_stream.append(_BINARY, "запит:1")

        assert await other_stream.read("w", 10, 0) == [UsageEntry("запит:1", _BINARY, 1)]

    async def test_an_empty_stream_has_nothing_for_anyone(self, usage_stream: UsageStream) -> None:
        assert await usage_stream.claim_stale("w", 0, 10) == []
        assert await usage_stream.keep("w", ["r-1:1"]) == []
        assert await usage_stream.acknowledge(["r-1:1"]) == 0
        assert await usage_stream.acknowledge([]) == 0
        assert not await usage_stream.dead_letter(UsageEntry("r-1:1", b"", 1), "no")
        assert await usage_stream.list_dead(10) == ([], None)
        assert await usage_stream.depth() == UsageDepth(0, 0, 0)
        assert await usage_stream.read("w", 10, 0) == []

    async def test_each_record_is_read_once_by_one_of_many_consumers(
        self, usage_stream: UsageStream, other_stream: UsageStream
    ) -> None:
        names = await appended(usage_stream, 100)
        both = [usage_stream, other_stream]

        batches = await asyncio.gather(*(both[number % 2].read(f"w{number}", 10, 0) for number in range(20)))
        rest = await usage_stream.read("w", 100, 0)

        assert ids([entry for batch in (*batches, rest) for entry in batch]) == names
        assert max(map(len, batches)) <= 10

    async def test_a_read_takes_as_many_as_asked_while_there_are_some(self, usage_stream: UsageStream) -> None:
        names = await appended(usage_stream, 50)

        sizes = [len(await usage_stream.read("w", count, 0)) for count in (1, 3, 30, 30)]

        assert sizes == [1, 3, 30, 16]
        assert await usage_stream.acknowledge(names) == 50

    async def test_an_id_is_taken_once_while_its_record_is_here(
        self, usage_stream: UsageStream, other_stream: UsageStream
    ) -> None:
        assert await usage_stream.append(b"one", "r-1:1")
        assert not await other_stream.append(b"two", "r-1:1")
        entry = await delivered(usage_stream)
        assert not await usage_stream.append(b"two", "r-1:1")
        assert await usage_stream.dead_letter(entry, "no")
        assert not await usage_stream.append(b"two", "r-1:1")

        assert entry.record == b"one"
        assert await usage_stream.depth() == UsageDepth(0, 0, 1)

    async def test_attempts_of_a_request_are_different_records(self, usage_stream: UsageStream) -> None:
        assert await usage_stream.append(b"one", "r-1:1")
        assert await usage_stream.append(b"two", "r-1:2")

    async def test_what_is_acknowledged_is_gone_and_nothing_else_is(
        self, usage_stream: UsageStream, other_stream: UsageStream, pass_time: PassTime
    ) -> None:
        names = await appended(usage_stream, 20)
        await usage_stream.read("w", 20, 0)

        assert await other_stream.acknowledge([*names[:15], "unknown"]) == 15
        assert await other_stream.acknowledge(names[:15]) == 0

        assert await usage_stream.depth() == UsageDepth(0, 5, 0)
        await pass_time(IDLE_US)
        assert ids(await claimed(usage_stream)) == names[15:]

    async def test_what_is_acknowledged_before_it_was_read_is_never_delivered(self, usage_stream: UsageStream) -> None:
        await appended(usage_stream, 2)

        assert await usage_stream.acknowledge(["r-0000:1"]) == 1

        assert ids(await usage_stream.read("w", 10, 0)) == ["r-0001:1"]
        assert await usage_stream.append(b"", "r-0000:1")

    async def test_nothing_unacknowledged_is_trimmed(self, usage_stream: UsageStream, pass_time: PassTime) -> None:
        names = await appended(usage_stream, 3_000)

        first = await usage_stream.read("dead worker", 1_000, 0)
        assert await usage_stream.depth() == UsageDepth(2_000, 1_000, 0)
        rest = await usage_stream.read("w", 3_000, 0)
        await pass_time(IDLE_US)
        again = await claimed(usage_stream)

        assert ids([*first, *rest]) == ids(again) == names

    async def test_a_read_that_waits_gets_what_arrives(self, usage_stream: UsageStream) -> None:
        entries, _ = await asyncio.gather(
            usage_stream.read("w", 10, 10 * IDLE_US), usage_stream.append(b"late", "r-1:1")
        )

        assert entries == [UsageEntry("r-1:1", b"late", 1)]

    async def test_a_read_waits_no_longer_than_asked(self, usage_stream: UsageStream, clock: ManualClock) -> None:
        before_us = clock.monotonic_us()

        assert await usage_stream.read("w", 10, 120_000) == []

        assert clock.monotonic_us() - before_us == 120_000


class StaleUsageContract:
    """Claims: what a silent consumer had goes to another."""

    async def test_what_a_silent_consumer_had_is_claimed_and_counted(
        self, usage_stream: UsageStream, other_stream: UsageStream, pass_time: PassTime
    ) -> None:
        await usage_stream.append(b"one", "r-1:1")
        await delivered(usage_stream, "silent")

        assert await other_stream.claim_stale("w", IDLE_US, 10) == []
        await pass_time(IDLE_US)
        assert await other_stream.claim_stale("w", IDLE_US, 10) == [UsageEntry("r-1:1", b"one", 2)]
        assert await usage_stream.claim_stale("w2", IDLE_US, 10) == []
        await pass_time(IDLE_US)

        assert await usage_stream.claim_stale("w2", IDLE_US, 10) == [UsageEntry("r-1:1", b"one", 3)]

    async def test_what_waits_is_not_stale(self, usage_stream: UsageStream, pass_time: PassTime) -> None:
        await appended(usage_stream, 3)
        await pass_time(IDLE_US)

        assert await usage_stream.claim_stale("w", 0, 10) == []

    async def test_a_claim_takes_at_most_what_was_asked(self, usage_stream: UsageStream, pass_time: PassTime) -> None:
        names = await appended(usage_stream, 30)
        await usage_stream.read("silent", 30, 0)
        await pass_time(IDLE_US)

        assert len(await usage_stream.claim_stale("w", IDLE_US, 7)) <= 7
        assert len(await claimed(usage_stream)) >= 23
        await pass_time(IDLE_US)
        assert ids(await claimed(usage_stream)) == names

    async def test_a_claimed_record_may_still_be_acknowledged_by_whoever_had_it(
        self, usage_stream: UsageStream, pass_time: PassTime
    ) -> None:
        await usage_stream.append(b"one", "r-1:1")
        entry = await delivered(usage_stream, "slow")
        await pass_time(IDLE_US)
        await usage_stream.claim_stale("w", IDLE_US, 10)

        assert await usage_stream.acknowledge([entry.id]) == 1

    async def test_what_is_kept_is_young_and_no_delivery(self, usage_stream: UsageStream, pass_time: PassTime) -> None:
        names = await appended(usage_stream, 10)
        await usage_stream.read("w", 10, 0)
        await pass_time(IDLE_US)

        assert await usage_stream.keep("w", [*names[5:], "unknown"]) == names[5:]

        assert ids(await claimed(usage_stream)) == names[:5]
        await pass_time(IDLE_US)
        kept = await claimed(usage_stream)
        assert [entry.deliveries for entry in sorted(kept, key=lambda entry: entry.id)] == [3] * 5 + [2] * 5

    async def test_nobody_keeps_what_another_has(self, usage_stream: UsageStream, pass_time: PassTime) -> None:
        names = await appended(usage_stream, 4)
        await usage_stream.read("w", 4, 0)
        await usage_stream.append(b"", "waiting")
        await pass_time(IDLE_US)

        assert await usage_stream.keep("thief", [*names, "waiting"]) == []

        assert ids(await claimed(usage_stream)) == names
