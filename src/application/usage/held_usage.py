"""What a consumer was given and has not brought to an end yet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from domain.usage_stream import UsageEntry

MOST_REFUSED = 1_000


@dataclass(slots=True)
class _Held:
    entry: UsageEntry
    due_us: int
    retries: int = 0


class HeldUsage:
    """Records in hand: new ones, and refused ones that are tried again later.

    No more than 1,000 refused ones: what is refused beyond them is let go, and turns stale, so it comes back.
    """

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}
        self._refused = 0

    def add(self, entries: Iterable[UsageEntry], now_us: int) -> None:
        """They were delivered. One that is here already keeps its place."""
        for entry in entries:
            known = self._held.get(entry.id)
            if known is None:
                self._held[entry.id] = _Held(entry, now_us)
            else:
                known.entry = entry

    def ids(self) -> Sequence[str]:
        """Everything in hand."""
        return list(self._held)

    @property
    def new_count(self) -> int:
        """How many were never refused."""
        return len(self._held) - self._refused

    def ready(self, now_us: int, count: int) -> Sequence[Sequence[UsageEntry]]:
        """All new ones in batches of up to `count`, and a batch of refused ones that are due: these spoil no other."""
        due = [one for one in self._held.values() if one.due_us <= now_us]
        new = [one.entry for one in due if not one.retries]
        refused = [one.entry for one in due if one.retries]
        batches = [new[start : start + count] for start in range(0, len(new), count)]
        return [*batches, refused[:count]] if refused else batches

    def retries_of(self, record_id: str) -> int:
        """How often it was refused, but for the last time."""
        return self._held[record_id].retries

    def postpone(self, record_id: str, retries: int, due_us: int) -> None:
        """It was refused, and is tried again then."""
        one = self._held[record_id]
        if not one.retries:
            if self._refused >= MOST_REFUSED:
                del self._held[record_id]
                return
            self._refused += 1
        one.retries, one.due_us = retries, due_us

    def drop(self, record_ids: Iterable[str]) -> None:
        """They are not in hand any more."""
        for record_id in record_ids:
            dropped = self._held.pop(record_id, None)
            if dropped is not None and dropped.retries:
                self._refused -= 1
