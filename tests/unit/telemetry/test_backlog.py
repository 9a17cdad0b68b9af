from collections.abc import Sequence
from threading import Event

import pytest

from adapters.outbound.telemetry.backlog import Backlog


class SpyWork:
    """Keeps what it was given; waits before each batch while `gate` is closed."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate, self.busy = Event(), Event()
        self.gate.set()

    def __call__(self, items: Sequence[int]) -> None:
        self.busy.set()
        assert self.gate.wait(10)
        self.batches.append(list(items))

    @property
    def done(self) -> list[int]:
        return [item for batch in self.batches for item in batch]


def test_work_is_done_in_order_and_all_of_it_before_the_end() -> None:
    work = SpyWork()
    backlog = Backlog("test", work)
    backlog.start()

    for number in range(1_000):
        backlog.offer(number)

    assert backlog.close(10)
    assert work.done == list(range(1_000))
    assert backlog.dropped == 0


def test_what_waits_is_handed_over_together() -> None:
    work = SpyWork()
    work.gate.clear()
    backlog = Backlog("test", work)
    backlog.start()
    backlog.offer(0)
    assert work.busy.wait(10)

    for number in range(1, 101):
        backlog.offer(number)
    work.gate.set()

    assert backlog.close(10)
    assert work.done == list(range(101))
    assert [len(batch) for batch in work.batches] == [1, 32, 32, 32, 4]


def test_what_does_not_fit_is_dropped_and_counted() -> None:
    work = SpyWork()
    work.gate.clear()
    backlog = Backlog("test", work, capacity=5)
    backlog.start()
    backlog.offer(0)
    assert work.busy.wait(10)

    for number in range(1, 10):
        backlog.offer(number)
    work.gate.set()

    assert backlog.close(10)
    assert work.done == [0, 1, 2, 3, 4, 5]
    assert backlog.dropped == 4


def test_end_is_not_waited_for_longer_than_was_said() -> None:
    work = SpyWork()
    work.gate.clear()
    backlog = Backlog("test", work)
    backlog.start()
    backlog.offer(0)

    assert not backlog.close(0.01)
    work.gate.set()


def test_backlog_that_was_never_started_has_nothing_to_end() -> None:
    assert Backlog("test", SpyWork()).close(0)


def test_work_that_fails_is_logged_once_in_a_row_and_the_next_is_done(caplog: pytest.LogCaptureFixture) -> None:
    tried: list[int] = []

    def work(items: Sequence[int]) -> None:
        for item in items:
            tried.append(item)
            raise_for(item)

    def raise_for(item: int) -> None:
        if item < 64:
            raise ValueError(item)

    backlog = Backlog("test", work)
    for number in range(70):
        backlog.offer(number)
    backlog.start()

    assert backlog.close(10)
    assert tried[-5:] == [65, 66, 67, 68, 69]
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "test" in caplog.text


def test_what_weighs_too_much_in_all_is_dropped_until_there_is_room() -> None:
    work = SpyWork()
    work.gate.clear()
    backlog = Backlog("test", work, weigh=lambda item: item, capacity_bytes=100)
    backlog.start()
    backlog.offer(1)
    assert work.busy.wait(10)

    for item in (60, 50, 0, 39, 1):
        backlog.offer(item)
    assert backlog.dropped == 2
    work.gate.set()
    assert backlog.close(10)
    assert work.done == [1, 60, 0, 39]

    backlog.start()
    backlog.offer(100)
    assert backlog.close(10)
    assert work.done[-1] == 100
