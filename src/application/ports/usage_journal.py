from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

from domain.usage_record import UsageIntent, UsageRecord


class JournalFull(Exception):
    """The journal could not take it, and is as it was before: the disk is full, or fails. It may work again later."""


class JournalEntry(NamedTuple):
    """A record on its way to the ledger, as UsageRecord.to_bytes wrote it. `adopted`: its process is dead."""

    id: str
    record: bytes
    adopted: bool = False


class UsageJournal(Protocol):
    """What this process has to tell the ledger, kept where its death does not reach it.

    An intent, and later an outcome of the same record id: once either method has returned, a killed process loses
    neither; a dead machine may lose what `sync` did not follow. An intent whose outcome never came becomes a record of
    outcome UNKNOWN when its process is dead and adopted. Entries are handed out again until they are marked, and
    again after a crash that forgot the mark, so the ledger must be idempotent by record id.
    Not for two threads at once.
    """

    def append_intent(self, intent: UsageIntent) -> None:
        """Before anything of the attempt is sent. One write, no waiting. Raises JournalFull."""
        ...

    def append_outcome(self, record: UsageRecord) -> None:
        """When the attempt ended, with an intent or without one. As `append_intent`; on JournalFull try it again."""
        ...

    def withdraw(self, record_id: str) -> None:
        """Takes an intent back: nothing was sent, so there will be no record. No change where it is unknown."""
        ...

    def undelivered(self, count: int) -> Sequence[JournalEntry]:
        """Up to `count` records that have their outcome and no mark, adopted ones first, else oldest first."""
        ...

    def fresh(self, count: int) -> Sequence[JournalEntry]:
        """Up to `count` undelivered records that were never handed out by this journal; in the order of these."""
        ...

    def mark_delivered(self, record_ids: Collection[str]) -> None:
        """They are safe elsewhere and will not be handed out again. Ids that were not handed out are ignored."""
        ...

    async def adopt(self) -> int:
        """Takes over the journals of dead processes, each by one adopter only; how many files that was."""
        ...

    async def sync(self) -> None:
        """What was appended before the call outlives the machine too. Raises JournalFull. For a batch, now and then."""
        ...

    def close(self) -> None:
        """Leaves what is not delivered to whoever adopts it. Nothing else may be called afterwards."""
        ...
