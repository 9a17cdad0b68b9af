import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from application.backoff import Backoff
from application.endless import Work
from application.errors import StateUnavailable
from application.ports.clock import Clock
from application.ports.ledger import Ledger
from application.ports.randomness import Randomness
from application.ports.usage_journal import JournalEntry, UsageJournal
from application.ports.usage_stream import UsageStream
from application.usage.on_the_way import OnTheWay
from domain.durations import SECOND_US
from domain.usage_record import UsageRecord

SEND_EVERY_US = SECOND_US // 10
CONFIRM_EVERY_US = SECOND_US
ADOPT_EVERY_US = 5 * SECOND_US
CAPACITY = 10_000
_FIRST_PAUSE_US = SECOND_US // 5
_LONGEST_PAUSE_US = 5 * SECOND_US
# So much is about a millisecond of this process's time: requests come in between.
_SENT_AT_ONCE = 50
_MARKED_AT_ONCE = 200
_ASKED_AT_ONCE = 500

OnLedgered = Callable[[Sequence[str]], Awaitable[None]]
OnAdopted = Callable[[UsageRecord], Awaitable[None]]

_log = logging.getLogger("moongate.usage")


async def _no_need_to_know(_: object) -> None:
    """For gateways without budgets."""


class DeliverUsage:
    """Sees this process's usage records, and those of dead ones, from the journal through the stream to the ledger.

    A record is marked in the journal when the ledger has it and not before: a stream that loses its data loses
    nothing else. Until then it is appended again now and then, which the stream ignores while it has it. No more than
    10,000 records are on their way at a time; what comes on top waits in the journal.

    Hooks may raise StateUnavailable, and are called again then; they are also called again after a crash, so they
    must be idempotent.

    Args:
        on_ledgered: Called with the ids of records that are in the ledger, or whose dead letter was discarded: they
            are on their way no more.
        on_adopted: Called with each record that a dead process left, before it is sent.
        on_died: Called when journals of dead processes were found, whether anything was left in them or not.
    """

    def __init__(
        self,
        journal: UsageJournal,
        stream: UsageStream,
        ledger: Ledger,
        clock: Clock,
        randomness: Randomness,
        *,
        on_ledgered: OnLedgered = _no_need_to_know,
        on_adopted: OnAdopted = _no_need_to_know,
        on_died: Callable[[], None] = lambda: None,
    ) -> None:
        self._journal = journal
        self._stream = stream
        self._ledger = ledger
        self._clock = clock
        self._randomness = randomness
        self._on_ledgered = on_ledgered
        self._on_adopted = on_adopted
        self._on_died = on_died
        self._way = OnTheWay(CAPACITY)
        self._told: set[str] = set()

    @property
    def on_the_way(self) -> int:
        """How many records left the journal and are not marked."""
        return len(self._way)

    def works(self) -> Mapping[str, Work]:
        """What runs for as long as requests are served, and a little longer; each ends by cancellation."""
        return {
            "adopting usage journals": lambda: self._repeat(self.adopt, ADOPT_EVERY_US),
            "sending usage": lambda: self._repeat(self.send, SEND_EVERY_US),
            "confirming usage": lambda: self._repeat(self.confirm, CONFIRM_EVERY_US),
        }

    def ledgered(self, record_ids: Collection[str]) -> None:
        """Says that the ledger has these: whoever wrote them in this process need not be asked about them."""
        self._told.update(record_id for record_id in record_ids if record_id in self._way)

    async def adopt(self) -> None:
        """Takes over what dead processes left."""
        files = await self._journal.adopt()
        if files:
            _log.info("took over the usage of %d journal files", files)
            self._on_died()

    async def send(self) -> None:
        """Gives the stream everything that it does not have, as far as there is room. Raises StateUnavailable."""
        while True:
            self._way.add(self._journal.fresh(min(_SENT_AT_ONCE, self._way.room)))
            entries = self._way.unsent(_SENT_AT_ONCE)
            if not entries:
                return
            for entry in entries:
                await self._meet(entry)
            await self._append([(entry.id, entry.record) for entry in entries])

    async def confirm(self, *, at_once: bool = False) -> None:
        """Marks what has arrived, and sends again what seems to be lost; `at_once` asks about the youngest, too.

        Raises StateUnavailable.
        """
        await self._arrived(list(self._told))
        asked = self._way.all_sent() if at_once else self._way.due(self._clock.monotonic_us())
        for start in range(0, len(asked), _ASKED_AT_ONCE):
            await self._confirm(asked[start : start + _ASKED_AT_ONCE])

    async def _confirm(self, record_ids: Sequence[str]) -> None:
        known = await self._ledger.known(record_ids)
        await self._arrived([record_id for record_id in record_ids if record_id in known])
        missing = [record_id for record_id in record_ids if record_id not in known]
        late = self._way.not_there(missing, self._clock.monotonic_us())
        for start in range(0, len(late), _SENT_AT_ONCE):
            await self._append_again(late[start : start + _SENT_AT_ONCE])

    async def _append_again(self, records: Sequence[tuple[str, bytes]]) -> None:
        here = await self._append(records, again=True)
        gone = await self._stream.discarded(here) if here else ()
        if gone:
            await self._arrived(gone)
            await self._stream.acknowledge(gone)

    async def _append(self, records: Sequence[tuple[str, bytes]], *, again: bool = False) -> Sequence[str]:
        """Those that the stream had already. All of them are tried, whatever becomes of one."""
        asked = (self._stream.append(record, record_id) for record_id, record in records)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        now_us, here = self._clock.monotonic_us(), []
        for (record_id, _), answer in zip(records, answers, strict=True):
            if isinstance(answer, BaseException):
                continue
            if answer or not again:
                self._way.sent(record_id, now_us)
            if not answer:
                here.append(record_id)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        return here

    async def _arrived(self, record_ids: Sequence[str]) -> None:
        for start in range(0, len(record_ids), _MARKED_AT_ONCE):
            some = record_ids[start : start + _MARKED_AT_ONCE]
            await self._on_ledgered(some)
            self._journal.mark_delivered(some)
            self._way.arrived(some)
            self._told.difference_update(some)
            await asyncio.sleep(0)

    async def _meet(self, entry: JournalEntry) -> None:
        if not entry.adopted:
            return
        try:
            await self._on_adopted(UsageRecord.from_bytes(entry.record))
        except StateUnavailable:
            raise
        except Exception:  # noqa: BLE001 - whatever is wrong with one record, it goes to the ledger, and so do all others
            _log.exception("the usage of a dead process can't be settled: %s", entry.id)
        self._way.met(entry.id)

    async def _repeat(self, step: Callable[[], Awaitable[None]], every_us: int) -> None:
        backoff = Backoff(self._randomness, _FIRST_PAUSE_US, _LONGEST_PAUSE_US)
        while True:
            try:
                await step()
            except StateUnavailable:
                await self._clock.sleep(backoff.next_us())
            else:
                backoff.reset()
                await self._clock.sleep(every_us)
