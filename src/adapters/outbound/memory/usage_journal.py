"""The journal in this process's memory: for tests and for embedding without a data directory. A crash loses it."""

from collections.abc import Collection, Iterable, Sequence
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
        return self._hand_out(self._waiting(), count)

    def fresh(self, count: int) -> Sequence[JournalEntry]:
        return self._hand_out((entry for entry in self._waiting() if entry.id not in self._handed), count)

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

    def _waiting(self) -> list[JournalEntry]:
        adopted = [JournalEntry(record_id, record, adopted=True) for record_id, record in self._adopted.items()]
        return adopted + [JournalEntry(record_id, record) for record_id, record in self._ended.items()]

    def _hand_out(self, entries: Iterable[JournalEntry], count: int) -> list[JournalEntry]:
        chosen = list(islice(entries, max(count, 0)))
        self._handed.update(entry.id for entry in chosen)
        return chosen

    async def sync(self) -> None:
        """Memory outlives nothing."""

    def close(self) -> None:
        if self.left():
            self._directory.append(self)


_conforms: type[UsageJournal] = MemoryUsageJournal
