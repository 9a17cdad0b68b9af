"""What is on its way, what is in hand, and how long to wait."""

import pytest

from adapters.testing.doubles import SeededRandomness
from application.backoff import Backoff
from application.ports.usage_journal import JournalEntry
from application.usage import held_usage
from application.usage.held_usage import HeldUsage
from application.usage.on_the_way import OnTheWay
from domain.durations import SECOND_US
from domain.usage_stream import UsageEntry


def test_a_record_that_is_on_its_way_is_not_added_again() -> None:
    way = OnTheWay(2)
    way.add([JournalEntry("r-1:1", b"one")])
    way.sent("r-1:1", 0)

    way.add([JournalEntry("r-1:1", b"one", adopted=True)])

    assert len(way) == way.room == 1
    assert way.unsent(10) == []


def test_the_ledger_is_asked_at_growing_ages_and_late_records_go_again() -> None:
    way = OnTheWay(2)
    way.add([JournalEntry("r-1:1", b"one")])
    way.sent("r-1:1", 0)
    asked, late = [], []
    for now_s in range(240):
        if way.due(now_s * SECOND_US):
            asked.append(now_s)
            if way.not_there(["r-1:1"], now_s * SECOND_US):
                late.append(now_s)

    assert asked == [2, 4, 8, 16, 32, 64, 124, 184]
    assert late == [16, 32, 64, 124, 184]


def test_a_record_that_has_arrived_is_not_sent_any_more() -> None:
    way = OnTheWay(2)
    way.add([JournalEntry("r-1:1", b"one")])
    way.arrived(["r-1:1"])
    way.sent("r-1:1", 0)

    assert "r-1:1" not in way
    assert way.not_there(["r-1:1"], SECOND_US) == []


def test_refused_records_beyond_the_bound_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_usage, "MOST_REFUSED", 2)
    held = HeldUsage()
    held.add([UsageEntry(f"r-{number}:1", b"", 1) for number in range(4)], 0)
    for number in range(3):
        held.postpone(f"r-{number}:1", 1, 10)

    assert held.ids() == ["r-0:1", "r-1:1", "r-3:1"]
    assert held.new_count == 1
    held.drop(["r-0:1"])
    held.postpone("r-3:1", 1, 10)
    assert held.ids() == ["r-1:1", "r-3:1"]


def test_new_and_refused_records_are_batches_apart() -> None:
    held = HeldUsage()
    new, refused, early = (UsageEntry(name, b"", 1) for name in ("new:1", "refused:1", "early:1"))
    held.add([new, refused, early], 0)
    held.postpone("refused:1", 1, 10)
    held.postpone("early:1", 1, 11)

    assert held.ready(10, 100) == [[new], [refused]]
    assert held.ready(9, 100) == [[new]]


def test_pauses_double_up_to_the_longest_and_are_drawn_below_that() -> None:
    class Highest(SeededRandomness):
        def draw(self) -> float:
            return 1 - 2**-53

    backoff = Backoff(Highest(), SECOND_US, 5 * SECOND_US)

    assert [backoff.next_us() for _ in range(5)] == [each * SECOND_US for each in (1, 2, 4, 5, 5)]
    backoff.reset()
    assert backoff.next_us() == SECOND_US


def test_no_pause_is_too_short_for_others_to_get_a_word_in() -> None:
    class Lowest(SeededRandomness):
        def draw(self) -> float:
            return 0.0

    assert Backoff(Lowest(), SECOND_US, 5 * SECOND_US).next_us() == 50_000
