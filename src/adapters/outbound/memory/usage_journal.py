"""The journal in this process's memory: for tests and for embedding without a data directory. A crash loses it."""

from collections.abc import Collection, Sequence
from itertools import islice

from application.ports.usage_journal import JournalEntry, UsageJournal
from domain.usage_record import UsageIntent, UsageRecord


class MemoryUsageJournal:
    """`directory` is what others that share it can adopt: the journals that were closed."""

    def __init__(self, directory: "list[MemoryUsageJournal] | None" = None) -> None:
        self._directory = [] if directory is None else directory
        self._open: dict[str, UsageIntent] = {}
        self._ended: dict[str, bytes] = {}
        self._adopted: dict[str, bytes] = {}
        self._handed: set[str] = set()

    def append_intent(self, intent: UsageIntent) -> None:
        self._open[intent.record_id] = intent

    def append_outcome(self, record: UsageRecord) -> None:
        self._open.pop(record.record_id, None)
        self._ended[record.record_id] = record.to_bytes()

    def withdraw(self, record_id: str) -> None:
        self._open.pop(record_id, None)

    def undelivered(self, count: int) -> Sequence[JournalEntry]:
        everything = (self._adopted | self._ended).items()
        entries = [JournalEntry(record_id, record) for record_id, record in islice(everything, max(count, 0))]
        self._handed.update(entry.id for entry in entries)
        return entries

    def mark_delivered(self, record_ids: Collection[str]) -> None:
        for record_id in self._handed.intersection(record_ids):
            self._handed.discard(record_id)
            self._adopted.pop(record_id, None)
            self._ended.pop(record_id, None)

    async def adopt(self) -> int:
        left_behind = self._directory[:]
        self._directory.clear()
        for other in left_behind:
            self._adopted |= other.left()
        return len(left_behind)

    def left(self) -> dict[str, bytes]:
        """What an adopter finds."""
        unknown = {name: intent.unresolved().to_bytes() for name, intent in self._open.items()}
        return self._adopted | self._ended | unknown

    async def sync(self) -> None:
        """Memory outlives nothing."""

    def close(self) -> None:
        if self.left():
            self._directory.append(self)


_conforms: type[UsageJournal] = MemoryUsageJournal
