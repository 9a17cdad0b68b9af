import logging
from collections import deque

from application.errors import StateUnavailable
from application.ports.clock import Clock
from application.ports.usage_journal import JournalFull, UsageJournal
from domain.durations import SECOND_US
from domain.usage_record import UsageIntent, UsageRecord

MOST_WAITING = 10_000
_AGAIN_AFTER_US = SECOND_US

_log = logging.getLogger("moongate.usage")


class Journaling:
    """Writes to the journal, and keeps what that can't take until it can.

    Where the disk is full or fails, requests under a hard budget are refused: they could spend what nobody would ever
    know of. All others go on; the ends of the newest 10,000 attempts wait in memory, and older ones are lost and said
    so.
    """

    def __init__(self, journal: UsageJournal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._waiting: deque[UsageRecord] = deque(maxlen=MOST_WAITING)
        self.lost = 0

    @property
    def waiting(self) -> int:
        """How many ends the journal could not take yet."""
        return len(self._waiting)

    def intent(self, intent: UsageIntent, *, must: bool) -> None:
        """Before anything is sent. With `must`, StateUnavailable where the journal can't take it."""
        try:
            self._journal.append_intent(intent)
        except JournalFull as error:
            _log.error("the usage journal can't take more: %s", error)
            if must:
                raise StateUnavailable("usage can't be written down at present: try again later") from error

    def outcome(self, record: UsageRecord) -> None:
        """When an attempt has ended."""
        if self._waiting:
            self._keep(record)
            return
        try:
            self._journal.append_outcome(record)
        except JournalFull as error:
            _log.error("the usage journal can't take more: %s", error)
            self._keep(record)

    def withdraw(self, record_id: str) -> None:
        """Nothing was sent."""
        self._journal.withdraw(record_id)

    async def run(self) -> None:
        """Writes what waits, for ever; ends by cancellation."""
        while True:
            self.retry()
            await self._clock.sleep(_AGAIN_AFTER_US)

    def retry(self) -> None:
        """Writes what waits, as far as the journal takes it."""
        try:
            while self._waiting:
                self._journal.append_outcome(self._waiting[0])
                self._waiting.popleft()
        except JournalFull:
            return

    def _keep(self, record: UsageRecord) -> None:
        if len(self._waiting) == MOST_WAITING:
            self.lost += 1
            _log.critical("usage of attempt %s is lost: the journal is full", self._waiting[0].record_id)
        self._waiting.append(record)
