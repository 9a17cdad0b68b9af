"""Usage records in this process's memory: for tests and for embedding. What a crash loses, the journal has."""

import re
from collections.abc import Sequence

from application.ports.clock import Clock
from application.ports.usage_stream import UsageStream
from domain.usage_stream import DeadLetter, UsageDepth, UsageEntry, UsageQueue

_POLL_US = 50_000
_PLACE = re.compile(r"[0-9]{1,15}")


class MemoryUsageStream:
    """Each method but a waiting `read` runs without a pause, so it is atomic."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._queue = UsageQueue()

    async def append(self, record: bytes, record_id: str) -> bool:
        return self._queue.append(record, record_id)

    async def read(self, consumer: str, count: int, block_us: int) -> Sequence[UsageEntry]:
        until_us = self._clock.monotonic_us() + block_us
        while True:
            entries = self._queue.read(consumer, count, self._clock.monotonic_us())
            left_us = until_us - self._clock.monotonic_us()
            if entries or left_us <= 0:
                return entries
            await self._clock.sleep(min(_POLL_US, left_us))

    async def claim_stale(self, consumer: str, min_idle_us: int, count: int) -> Sequence[UsageEntry]:
        return self._queue.claim(consumer, min_idle_us, count, self._clock.monotonic_us())

    async def keep(self, consumer: str, record_ids: Sequence[str]) -> Sequence[str]:
        return self._queue.keep(consumer, record_ids, self._clock.monotonic_us())

    async def acknowledge(self, record_ids: Sequence[str]) -> int:
        return self._queue.acknowledge(record_ids)

    async def dead_letter(self, entry: UsageEntry, error: str) -> bool:
        return self._queue.bury(entry, error, self._clock.now_us())

    async def list_dead(self, limit: int, after: str | None = None) -> tuple[Sequence[DeadLetter], str | None]:
        if after is not None and _PLACE.fullmatch(after) is None:
            raise ValueError("expected a cursor from the page before")
        found = self._queue.dead(int(after or "0"), limit + 1)
        page = found[:limit]
        return [letter for _, letter in page], str(page[-1][0]) if len(found) > limit else None

    async def replay(self, record_id: str) -> bool:
        return self._queue.revive(record_id)

    async def discard(self, record_id: str) -> bool:
        return self._queue.discard(record_id)

    async def discarded(self, record_ids: Sequence[str]) -> Sequence[str]:
        return self._queue.discarded(record_ids)

    async def depth(self) -> UsageDepth:
        return self._queue.depth()


_conforms: type[UsageStream] = MemoryUsageStream
