"""Usage records in Redis Streams with one consumer group, over shards: `{u:<number>}`.

A record leaves its stream when it is acknowledged and in no other way: nothing is trimmed by length or age. An index
by record id makes appends idempotent while the record is here. How long a record is pending is measured by the
server, in milliseconds.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any
from zlib import crc32

from adapters.outbound.redis.executor import Now, RedisExecutor, server_time
from adapters.outbound.redis.words import Word
from application.ports.clock import Clock
from application.ports.usage_stream import UsageStream
from domain.usage_stream import DeadLetter, UsageDepth, UsageEntry

GROUP = "ledger"
SHARDS = 8

# A read that waits asks again and again: shards lie on different nodes, and a blocked connection would hold up the
# pipelines of requests.
_POLL_US = 50_000

# Lua hands on no more than some thousand words at once.
_LARGEST_BATCH = 4_000
_PLACE = re.compile(r"[0-9]{1,15}-[0-9]{1,15}-[0-9]{1,4}")


class RedisUsageStream:
    """`shards` must be the same in all gateways; records of shards that are no more stay where they are."""

    def __init__(
        self, executor: RedisExecutor, prefix: str, clock: Clock, now: Now = server_time, shards: int = SHARDS
    ) -> None:
        self._executor = executor
        self._prefix = prefix
        self._clock = clock
        self._now = now
        self._shards = shards
        self._turn = 0

    async def append(self, record: bytes, record_id: str) -> bool:
        keys = self._keys(self._shard_of(record_id), "stream", "index")
        return bool(await self._call("append", keys, record_id, record))

    async def read(self, consumer: str, count: int, block_us: int) -> Sequence[UsageEntry]:
        until_us = self._clock.monotonic_us() + block_us
        while True:
            found = await self._from_shards("read", count, consumer, again=True)
            left_us = until_us - self._clock.monotonic_us()
            if found or left_us <= 0:
                return [UsageEntry(record_id.decode(), record, 1) for record_id, record in found]
            await self._clock.sleep(min(_POLL_US, left_us))

    async def claim_stale(self, consumer: str, min_idle_us: int, count: int) -> Sequence[UsageEntry]:
        found = await self._from_shards("claim", count, consumer, -(-min_idle_us // 1_000))
        return [UsageEntry(record_id.decode(), record, deliveries) for record_id, record, deliveries in found]

    async def keep(self, consumer: str, record_ids: Sequence[str]) -> Sequence[str]:
        answers = await self._by_shard("keep", record_ids, GROUP, consumer)
        held = {record_id.decode() for record_id in chain.from_iterable(answers)}
        return [record_id for record_id in record_ids if record_id in held]

    async def acknowledge(self, record_ids: Sequence[str]) -> int:
        return sum(await self._by_shard("acknowledge", record_ids, GROUP))

    async def dead_letter(self, entry: UsageEntry, error: str) -> bool:
        keys = self._keys(self._shard_of(entry.id), "stream", "index", "dead")
        return bool(await self._call("bury", keys, GROUP, entry.id, entry.deliveries, error, self._now()))

    async def list_dead(self, limit: int, after: str | None = None) -> tuple[Sequence[DeadLetter], str | None]:
        pages = await asyncio.gather(*(self._dead_of(shard, limit + 1, after) for shard in range(self._shards)))
        found = sorted(chain.from_iterable(pages), key=lambda one: one[0])
        page = found[:limit]
        more = "-".join(map(str, page[-1][0])) if len(found) > limit else None
        return [letter for _, letter in page], more

    async def replay(self, record_id: str) -> bool:
        return await self._exhume(record_id, replays=1)

    async def discard(self, record_id: str) -> bool:
        return await self._exhume(record_id, replays=0)

    async def discarded(self, record_ids: Sequence[str]) -> Sequence[str]:
        answers = await self._by_shard("discarded", record_ids, names=("index",))
        gone = {record_id.decode() for record_id in chain.from_iterable(answers)}
        return [record_id for record_id in record_ids if record_id in gone]

    async def depth(self) -> UsageDepth:
        shards = range(self._shards)
        counts = await asyncio.gather(*(self._call("depth", self._keys(n, "stream", "dead"), GROUP) for n in shards))
        return UsageDepth(*map(sum, zip(*counts, strict=True)))

    async def _from_shards(self, verb: str, count: int, *arguments: Word, again: bool = False) -> list[Any]:
        """What all shards have, up to `count`, each asked for its part of it.

        `again`: one that has more is asked for what the others had not. (Claims are not: what was claimed a moment
        ago could be claimed once more.) The shard that comes first changes each time, so that none is forgotten where
        `count` is small.
        """
        self._turn += 1
        count = min(count, _LARGEST_BATCH)
        shards = [(self._turn + number) % self._shards for number in range(self._shards)]
        found: list[Any] = []
        while shards and len(found) < count:
            asked = _parts(shards, count - len(found))
            answers = await asyncio.gather(
                *(self._call(verb, self._keys(n, "stream"), GROUP, *arguments, part) for n, part in asked.items())
            )
            found.extend(chain.from_iterable(answers))
            full = [n for (n, part), answer in zip(asked.items(), answers, strict=True) if len(answer) == part]
            shards = [n for n in shards if n not in asked] + (full if again else [])
        return found

    async def _by_shard(
        self, verb: str, record_ids: Iterable[str], *arguments: Word, names: Sequence[str] = ("stream", "index")
    ) -> list[Any]:
        ids: defaultdict[int, list[str]] = defaultdict(list)
        for record_id in record_ids:
            ids[self._shard_of(record_id)].append(record_id)
        calls = (self._call(verb, self._keys(n, *names), *arguments, *those) for n, those in ids.items())
        return await asyncio.gather(*calls)

    async def _dead_of(self, shard: int, limit: int, after: str | None) -> list[tuple[tuple[int, ...], DeadLetter]]:
        """Dead letters of one shard by (ms, number, shard), which orders those of all shards."""
        since = "-" if after is None else _since(after, shard)
        found = await self._call("list_dead", self._keys(shard, "dead"), since, limit)
        return [((*map(int, place.split(b"-")), shard), _dead_letter(*fields)) for place, *fields in found]

    async def _exhume(self, record_id: str, replays: int) -> bool:
        keys = self._keys(self._shard_of(record_id), "stream", "index", "dead")
        return bool(await self._call("exhume", keys, record_id, replays))

    async def _call(self, verb: str, keys: list[str], *arguments: Word) -> Any:
        return await self._executor.call(f"usage/{verb}", keys, arguments)

    def _shard_of(self, record_id: str) -> int:
        return crc32(record_id.encode()) % self._shards

    def _keys(self, shard: int, *names: str) -> list[str]:
        return [f"{self._prefix}{{u:{shard}}}:{name}" for name in names]


def _parts(shards: Sequence[int], count: int) -> dict[int, int]:
    """`count` in equal parts, the first ones larger by one; shards that would get 0 are left out."""
    each, rest = divmod(count, len(shards))
    parts = {shard: each + (number < rest) for number, shard in enumerate(shards)}
    return {shard: part for shard, part in parts.items() if part}


def _since(after: str, shard: int) -> str:
    """Where a shard goes on after the letter `after` (ms, number, shard): at the same instant where it comes later.

    Raises:
        ValueError: It names no letter.
    """
    if _PLACE.fullmatch(after) is None:
        raise ValueError("expected a cursor from the page before")
    ms, number, last_shard = after.split("-")
    return f"{ms}-{number}" if shard > int(last_shard) else f"({ms}-{number}"


def _dead_letter(record_id: bytes, record: bytes, deliveries: bytes, error: bytes, died_us: bytes) -> DeadLetter:
    return DeadLetter(record_id.decode(), record, int(deliveries), error.decode(), int(died_us))


_conforms: type[UsageStream] = RedisUsageStream
