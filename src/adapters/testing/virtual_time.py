"""Time that passes only when nothing else is left to do.

`run_virtual(coroutine)` runs a coroutine on an event loop whose clock jumps to the next timer as soon as no task can
go on. Hours pass in milliseconds, in the same order every time; `asyncio.sleep` and `asyncio.timeout` work as ever.
For code without sockets, threads or subprocesses.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

from application.ports.clock import Clock

T = TypeVar("T")
US_PER_SECOND = 1_000_000
EPOCH_US = 1_800_000_000 * US_PER_SECOND


class DeadlockError(RuntimeError):
    """Every task waits for something that no timer will bring."""


class _JumpingSelector(selectors.SelectSelector):
    """Instead of waiting for `timeout`, moves the clock by it."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise DeadlockError("all tasks wait, and no timer is set")
            self.now_s += max(0.0, timeout)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose time starts at 0 and jumps."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._jumping.now_s


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Runs `main` to its end in virtual time.

    Raises:
        DeadlockError: Nothing can go on any more.
    """
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


class VirtualClock:
    """The clock of the running virtual loop. Wall-clock time can be stepped; monotonic time can't."""

    def __init__(self, epoch_us: int = EPOCH_US) -> None:
        self._epoch_us = epoch_us

    def now_us(self) -> int:
        return self._epoch_us + self.monotonic_us()

    def monotonic_us(self) -> int:
        return round(asyncio.get_running_loop().time() * US_PER_SECOND)

    async def sleep(self, span_us: int) -> None:
        await asyncio.sleep(span_us / US_PER_SECOND)

    def step(self, span_us: int) -> None:
        """Sets the wall clock forward or, with a negative span, back."""
        self._epoch_us += span_us


class ManualClock:
    """A clock that moves when told. `sleep` moves it, too."""

    def __init__(self, epoch_us: int = EPOCH_US) -> None:
        self._now_us = epoch_us
        self._stepped_us = 0

    def now_us(self) -> int:
        return self._now_us + self._stepped_us

    def monotonic_us(self) -> int:
        return self._now_us

    async def sleep(self, span_us: int) -> None:
        self.advance(span_us)
        await asyncio.sleep(0)

    def advance(self, span_us: int) -> None:
        """Lets `span_us` pass."""
        self._now_us += span_us

    def step(self, span_us: int) -> None:
        """Sets the wall clock forward or, with a negative span, back."""
        self._stepped_us += span_us


_conforms_virtual: type[Clock] = VirtualClock
_conforms_manual: type[Clock] = ManualClock
