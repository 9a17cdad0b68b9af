"""What the journal can't take."""

from dataclasses import dataclass, field, replace

import pytest

from adapters.testing.virtual_time import ManualClock
from application.billing import journaling
from application.billing.journaling import Journaling
from application.errors import StateUnavailable
from application.ports.usage_journal import JournalFull
from domain.identifiers import RequestId
from domain.usage_record import UsageIntent, UsageOutcome, UsageRecord

INTENT = UsageIntent(RequestId("r"), 1, 0, "m", "key:K", "POST", "/")
RECORD = UsageRecord(RequestId("r"), 1, 0, "m", "key:K", "POST", "/", UsageOutcome.SUCCESS)


@dataclass
class StubJournal:
    is_full: bool = True
    written: list[int] = field(default_factory=list)

    def append_intent(self, intent: UsageIntent) -> None:
        if self.is_full:
            raise JournalFull("no space left on device")
        self.written.append(-intent.attempt)

    def append_outcome(self, record: UsageRecord) -> None:
        if self.is_full:
            raise JournalFull("no space left on device")
        self.written.append(record.attempt)


def both() -> tuple[StubJournal, Journaling]:
    journal = StubJournal()
    return journal, Journaling(journal, ManualClock())  # type: ignore[arg-type]


def test_an_intent_that_can_not_be_written_refuses_where_it_must_be() -> None:
    _, writing = both()

    with pytest.raises(StateUnavailable, match="usage can't be written down"):
        writing.intent(INTENT, must=True)
    writing.intent(INTENT, must=False)


def test_ends_wait_in_their_order_until_there_is_room() -> None:
    journal, writing = both()
    for attempt in (1, 2):
        writing.outcome(replace(RECORD, attempt=attempt))

    journal.is_full = False
    writing.outcome(replace(RECORD, attempt=3))
    assert (writing.waiting, journal.written) == (3, [])
    writing.retry()

    assert (writing.waiting, journal.written, writing.lost) == (0, [1, 2, 3], 0)


def test_what_is_full_again_keeps_the_rest() -> None:
    journal, writing = both()
    writing.outcome(RECORD)

    writing.retry()

    assert (writing.waiting, journal.written) == (1, [])


def test_of_too_many_ends_the_oldest_is_lost_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journaling, "MOST_WAITING", 2)
    journal, writing = both()
    for attempt in (1, 2, 3):
        writing.outcome(replace(RECORD, attempt=attempt))
    journal.is_full = False

    writing.retry()

    assert (journal.written, writing.lost) == ([2, 3], 1)
