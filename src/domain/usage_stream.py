"""Usage records on their way to the ledger: what waits, what a consumer was given, and what could not be stored."""

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class UsageEntry:
    """A record as it was delivered. `deliveries` counts this one, from 1."""

    id: str
    record: bytes
    deliveries: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that the ledger refused: why, after how many deliveries, and when it was put aside."""

    id: str
    record: bytes
    deliveries: int
    error: str
    died_us: int


@dataclass(frozen=True, slots=True)
class UsageDepth:
    """How many records were never delivered, are delivered and not acknowledged, and are dead letters."""

    waiting: int
    pending: int
    dead: int


@dataclass(frozen=True, slots=True)
class _Pending:
    entry: UsageEntry
    consumer: str
    delivered_us: int


class UsageQueue:
    """Records in the order of their arrival. Mutable: the store that owns it changes it within one atomic step.

    Its whole life is `append`, `read`, perhaps `claim` and `keep`, then `acknowledge`; or `bury`, then `revive` or
    `discard`. An id is in at most one of the four places.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, bytes] = {}
        self._pending: dict[str, _Pending] = {}
        self._dead: dict[str, tuple[int, DeadLetter]] = {}
        self._discarded: set[str] = set()
        self._buried = 0

    def append(self, record: bytes, record_id: str) -> bool:
        """False where the id is here already, alive, dead or discarded."""
        if any(record_id in place for place in (self._waiting, self._pending, self._dead, self._discarded)):
            return False
        self._waiting[record_id] = record
        return True

    def read(self, consumer: str, count: int, now_us: int) -> list[UsageEntry]:
        """The oldest that wait, which are pending from now on."""
        chosen = [
            UsageEntry(record_id, self._waiting[record_id], 1)
            for record_id, _ in zip(self._waiting, range(count), strict=False)
        ]
        for entry in chosen:
            del self._waiting[entry.id]
            self._pending[entry.id] = _Pending(entry, consumer, now_us)
        return chosen

    def claim(self, consumer: str, min_idle_us: int, count: int, now_us: int) -> list[UsageEntry]:
        """The oldest of those that nobody acknowledged for `min_idle_us`, delivered once more."""
        stale = (one for one in self._pending.values() if now_us - one.delivered_us >= min_idle_us)
        chosen = [
            replace(one.entry, deliveries=one.entry.deliveries + 1) for one, _ in zip(stale, range(count), strict=False)
        ]
        for entry in chosen:
            self._pending[entry.id] = _Pending(entry, consumer, now_us)
        return chosen

    def keep(self, consumer: str, record_ids: Iterable[str], now_us: int) -> list[str]:
        """Those that are still this consumer's; they count as delivered now."""
        held = [one for one in record_ids if one in self._pending and self._pending[one].consumer == consumer]
        for record_id in held:
            self._pending[record_id] = replace(self._pending[record_id], delivered_us=now_us)
        return held

    def acknowledge(self, record_ids: Iterable[str]) -> int:
        """Forgets them, whoever has them, and that they were discarded; how many were there alive."""
        record_ids = list(record_ids)
        self._discarded.difference_update(record_ids)
        return sum(self._take(record_id) is not None for record_id in record_ids)

    def bury(self, entry: UsageEntry, error: str, now_us: int) -> bool:
        """Makes a dead letter of it; False where it is not here alive."""
        record = self._take(entry.id)
        if record is None:
            return False
        self._buried += 1
        self._dead[entry.id] = self._buried, DeadLetter(entry.id, record, entry.deliveries, error, now_us)
        return True

    def dead(self, after: int, limit: int) -> list[tuple[int, DeadLetter]]:
        """Dead letters with their numbers, from the one after number `after`."""
        later = (one for one in self._dead.values() if one[0] > after)
        return [one for one, _ in zip(later, range(limit), strict=False)]

    def revive(self, record_id: str) -> bool:
        """Appends a dead letter's record again."""
        if record_id not in self._dead:
            return False
        _, letter = self._dead.pop(record_id)
        return self.append(letter.record, record_id)

    def discard(self, record_id: str) -> bool:
        """Forgets a dead letter, but for its id: whoever still has the record must not append it again."""
        if self._dead.pop(record_id, None) is None:
            return False
        self._discarded.add(record_id)
        return True

    def discarded(self, record_ids: Iterable[str]) -> list[str]:
        """Those that were discarded and not acknowledged since."""
        return [record_id for record_id in record_ids if record_id in self._discarded]

    def depth(self) -> UsageDepth:
        """How many there are of each."""
        return UsageDepth(len(self._waiting), len(self._pending), len(self._dead))

    def _take(self, record_id: str) -> bytes | None:
        pending = self._pending.pop(record_id, None)
        return pending.entry.record if pending is not None else self._waiting.pop(record_id, None)
