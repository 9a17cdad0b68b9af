"""Waiting for signals and pipes at once, without an event loop: a process that forks must not have one."""

import os
import select
import signal
from collections.abc import Collection, Iterator
from contextlib import contextmanager

_WATCHED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
_MANY = 4_096


class Wakeups:
    """Signals that arrived, in their order. `descriptors` are to be closed in a forked process."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading = reading
        self.descriptors = (reading, writing)

    def wait(self, descriptors: Collection[int], timeout_s: float | None) -> tuple[bytes, list[int]]:
        """The numbers of the signals that came, and those of `descriptors` that can be read; both may be empty."""
        readable, _, _ = select.select([self._reading, *descriptors], [], [], timeout_s)
        if self._reading not in readable:
            return b"", readable
        readable.remove(self._reading)
        return os.read(self._reading, _MANY), readable


@contextmanager
def wakeups() -> Iterator[Wakeups]:
    """Collects the signals of a supervisor; puts back what was there before. For the main thread only."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    before = {number: signal.signal(number, _only_wake) for number in _WATCHED}
    former = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    try:
        yield Wakeups(reading, writing)
    finally:
        signal.set_wakeup_fd(former)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reading)
        os.close(writing)


def _only_wake(_number: int, _frame: object) -> None:
    """The interpreter has written the number to the pipe already."""
