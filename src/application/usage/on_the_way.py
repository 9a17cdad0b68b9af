"""What left the journal and is not known to be in the ledger yet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from application.ports.usage_journal import JournalEntry
from domain.durations import SECOND_US

ASK_AFTER_US = 2 * SECOND_US
APPEND_AGAIN_AFTER_US = 15 * SECOND_US
_LONGEST_WAIT_US = 60 * SECOND_US


@dataclass(slots=True)
class _Sent:
    record: bytes
    since_us: int
    ask_at_us: int
    wait_us: int


class OnTheWay:
    """At most `capacity` records: those the stream does not have yet, then those it has.

    The ledger is asked about a record 2 s after it was sent, and then at twice that age each time, at least once a
    minute: in a backlog most questions would be answered no. From the age of 15 s on, who is not there is sent again.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._unsent: dict[str, JournalEntry] = {}
        self._sent: dict[str, _Sent] = {}

    def __len__(self) -> int:
        return len(self._unsent) + len(self._sent)

    def __contains__(self, record_id: str) -> bool:
        return record_id in self._sent or record_id in self._unsent

    @property
    def room(self) -> int:
        """How many more it takes."""
        return max(0, self._capacity - len(self))

    def add(self, entries: Iterable[JournalEntry]) -> None:
        """They left the journal. One that is here already (two files of a dead process may have it) is the same."""
        self._unsent.update({entry.id: entry for entry in entries if entry.id not in self})

    def unsent(self, count: int) -> Sequence[JournalEntry]:
        """Up to `count` that the stream does not have."""
        return [entry for entry, _ in zip(self._unsent.values(), range(count), strict=False)]

    def met(self, record_id: str) -> None:
        """Whoever must know of it as of a dead process's knows."""
        if record_id in self._unsent:
            self._unsent[record_id] = self._unsent[record_id]._replace(adopted=False)

    def sent(self, record_id: str, now_us: int) -> None:
        """The stream has it, for the first time or again. One that has arrived meanwhile stays away."""
        waiting = self._unsent.pop(record_id, None) or self._sent.get(record_id)
        if waiting is not None:
            self._sent[record_id] = _Sent(waiting.record, now_us, now_us + ASK_AFTER_US, ASK_AFTER_US)

    def due(self, now_us: int) -> Sequence[str]:
        """Whom to ask the ledger about."""
        return [record_id for record_id, one in self._sent.items() if one.ask_at_us <= now_us]

    def all_sent(self) -> Sequence[str]:
        """Everything that the stream was given."""
        return list(self._sent)

    def not_there(self, record_ids: Iterable[str], now_us: int) -> Sequence[tuple[str, bytes]]:
        """The ledger does not have these yet; which of them the stream should be given again."""
        late: list[tuple[str, bytes]] = []
        for record_id in record_ids:
            one = self._sent.get(record_id)
            if one is None:
                continue
            one.ask_at_us, one.wait_us = now_us + one.wait_us, min(2 * one.wait_us, _LONGEST_WAIT_US)
            if now_us - one.since_us >= APPEND_AGAIN_AFTER_US:
                late.append((record_id, one.record))
        return late

    def arrived(self, record_ids: Iterable[str]) -> None:
        """They need nothing more."""
        for record_id in record_ids:
            self._sent.pop(record_id, None)
            self._unsent.pop(record_id, None)
