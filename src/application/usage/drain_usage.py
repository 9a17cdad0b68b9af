import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

from application.backoff import Backoff
from application.errors import StateUnavailable
from application.ports.clock import Clock
from application.ports.ledger import Ledger, LedgerRefused
from application.ports.randomness import Randomness
from application.ports.usage_stream import UsageStream
from application.usage.held_usage import HeldUsage
from domain.durations import SECOND_US
from domain.usage_record import UsageRecord
from domain.usage_stream import UsageEntry

STALE_US = 15 * SECOND_US
LOOK_AROUND_EVERY_US = 5 * SECOND_US
IDLE_US = SECOND_US // 5
RETRY_UNIT_US = 10 * SECOND_US
_FIRST_PAUSE_US = SECOND_US
_LONGEST_PAUSE_US = 60 * SECOND_US
_STREAM_FIRST_PAUSE_US = SECOND_US // 5
_STREAM_LONGEST_PAUSE_US = 5 * SECOND_US
_KEPT_AT_ONCE = 500
# So much is about a millisecond of this process's time: requests come in between.
_READ_AT_ONCE = 50

_log = logging.getLogger("moongate.usage")


class _LedgerAway(Exception):
    """The database can't be reached."""


class _Readable(NamedTuple):
    entry: UsageEntry
    record: UsageRecord


def _no_need_to_know(_: object) -> None:
    """For workers that keep no journal."""


class DrainUsage:
    """Writes the records of the stream to the ledger, as one of any number of consumers.

    A record is acknowledged when its transaction is committed, and not before. One that the database refuses is
    separated from its batch, tried again after 10, 40 and 90 s (`max_retries` times, after the square of the retry in
    tens of seconds) and put aside as a dead letter; bytes that are no record are put aside at once. While the database
    is away nothing is read, acknowledged or put aside. Consumers that fell silent lose what they had to the others
    after 15 s.

    Args:
        consumer: A name that no other process has at the same time, and that comes back after a restart.
        on_ledgered: Told the ids of what is committed, at once; it must not fail.
        on_recorded: Told the records of a transaction that were all new to the ledger; it must not fail. Not told of
            one that was there in part, after another consumer's death: nobody knows which part.
    """

    def __init__(
        self,
        stream: UsageStream,
        ledger: Ledger,
        clock: Clock,
        randomness: Randomness,
        consumer: str,
        *,
        batch_size: int = 100,
        max_retries: int = 3,
        on_ledgered: Callable[[Sequence[str]], None] = _no_need_to_know,
        on_recorded: Callable[[Sequence[UsageRecord]], None] = _no_need_to_know,
    ) -> None:
        self._stream = stream
        self._ledger = ledger
        self._clock = clock
        self._consumer = consumer
        self._batch_size = batch_size
        self._max_retries = max_retries
        self._on_ledgered = on_ledgered
        self._on_recorded = on_recorded
        self._held = HeldUsage()
        self._committed: list[str] = []
        self._stream_backoff = Backoff(randomness, _STREAM_FIRST_PAUSE_US, _STREAM_LONGEST_PAUSE_US)
        self._ledger_backoff = Backoff(randomness, _FIRST_PAUSE_US, _LONGEST_PAUSE_US)
        self._ledger_away = False
        self._ask_ledger_at_us = 0
        self._look_around_at_us = 0
        self._stopping = False
        self._sleeping: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Drains until `stop`, or for ever; also ends by cancellation, which loses nothing."""
        while not self._stopping:
            try:
                pause_us = 0 if await self.drain() else IDLE_US
                self._stream_backoff.reset()
            except StateUnavailable:
                pause_us = self._stream_backoff.next_us()
            if pause_us:
                await self._pause(pause_us)

    def stop(self) -> None:
        """Lets `run` end after the batch in hand."""
        self._stopping = True
        if self._sleeping is not None:
            self._sleeping.cancel()

    async def drain(self) -> bool:
        """A batch, and one more of what others have left; whether there was any, and the ledger took or refused it.

        Raises:
            StateUnavailable: The stream is away. (The ledger's absence is waited for here, for up to a minute.)
        """
        await self._acknowledge()
        now_us = self._clock.monotonic_us()
        missing = self._batch_size - self._held.new_count  # what is claimed comes on top, and keeps nobody waiting
        if now_us >= self._look_around_at_us:
            await self._look_around(now_us)
        if now_us < self._ask_ledger_at_us:
            return False
        if missing > 0:
            self._held.add(await self._stream.read(self._consumer, missing, 0), now_us)
        batches = self._held.ready(now_us, self._batch_size)
        try:
            for batch in batches:
                await self._store(batch)
        except _LedgerAway:
            return False
        return bool(batches)

    async def _look_around(self, now_us: int) -> None:
        """Keeps what is held here for long, and takes what others have left, as long as there is some."""
        held = self._held.ids()
        for start in range(0, len(held), _KEPT_AT_ONCE):
            some = held[start : start + _KEPT_AT_ONCE]
            kept = frozenset(await self._stream.keep(self._consumer, some))
            self._held.drop([record_id for record_id in some if record_id not in kept])
        if now_us < self._ask_ledger_at_us:
            self._look_around_at_us = now_us + LOOK_AROUND_EVERY_US
            return
        stale = await self._stream.claim_stale(self._consumer, STALE_US, self._batch_size)
        self._held.add(stale, now_us)
        self._look_around_at_us = now_us + (0 if stale else LOOK_AROUND_EVERY_US)

    async def _store(self, batch: Sequence[UsageEntry]) -> None:
        readable: list[_Readable] = []
        for number, entry in enumerate(batch, 1):
            if number % _READ_AT_ONCE == 0:
                await asyncio.sleep(0)
            try:
                readable.append(_Readable(entry, UsageRecord.from_bytes(entry.record)))
            except ValueError as error:
                await self._put_aside(entry, f"no usage record: {error}")
        if readable:
            await self._insert(readable)

    async def _insert(self, batch: Sequence[_Readable]) -> None:
        """The whole batch in one transaction; where the ledger refuses it, its halves."""
        records = [one.record for one in batch]
        try:
            inserted = await self._ledger.insert(records)
        except LedgerRefused as error:
            self._ledger_is_back()
            if len(batch) == 1:
                await self._refused(batch[0].entry, str(error))
                return
            await self._insert(batch[: len(batch) // 2])
            await self._insert(batch[len(batch) // 2 :])
        except StateUnavailable as error:
            self._ledger_is_away(error)
            raise _LedgerAway from error
        else:
            self._ledger_is_back()
            if inserted == len(records):
                self._on_recorded(records)
            await self._stored([one.entry.id for one in batch])

    async def _stored(self, record_ids: Sequence[str]) -> None:
        self._held.drop(record_ids)
        self._committed.extend(record_ids)
        self._on_ledgered(record_ids)
        await self._acknowledge()

    async def _acknowledge(self) -> None:
        if self._committed:
            await self._stream.acknowledge(self._committed)
            self._committed = []

    async def _refused(self, entry: UsageEntry, error: str) -> None:
        retries = self._held.retries_of(entry.id) + 1
        if retries > self._max_retries:
            await self._put_aside(entry, error)
            return
        due_us = self._clock.monotonic_us() + retries**2 * RETRY_UNIT_US
        self._held.postpone(entry.id, retries, due_us)
        _log.warning("the ledger refuses the usage record %s (%d): %s", entry.id, retries, error)

    async def _put_aside(self, entry: UsageEntry, error: str) -> None:
        if await self._stream.dead_letter(entry, error):
            _log.error("the usage record %s is a dead letter: %s", entry.id, error)
        self._held.drop([entry.id])

    def _ledger_is_away(self, error: StateUnavailable) -> None:
        if not self._ledger_away:
            _log.error("the ledger can't be reached, usage waits: %s", error)
        self._ledger_away = True
        self._ask_ledger_at_us = self._clock.monotonic_us() + self._ledger_backoff.next_us()

    def _ledger_is_back(self) -> None:
        if self._ledger_away:
            _log.warning("the ledger is back")
        self._ledger_away = False
        self._ledger_backoff.reset()

    async def _pause(self, span_us: int) -> None:
        """Waits, but not for what has been told to stop."""
        self._sleeping = asyncio.ensure_future(self._clock.sleep(span_us))
        try:
            await self._sleeping
        except asyncio.CancelledError:
            if not self._stopping:
                raise
        finally:
            self._sleeping = None
