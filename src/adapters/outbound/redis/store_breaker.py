"""A breaker around the store: while it is down, nobody waits for it."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from application.ports.clock import Clock
from domain.durations import SECOND_US

CONSECUTIVE_FAILURES = 5
MINIMUM_CALLS = 20
FAILURE_RATE = 0.5
WINDOW_US = SECOND_US
PROBATION_US = SECOND_US

_log = logging.getLogger("moongate.store")


class StoreBreaker:
    """Open after five failures in a row, or when half of at least 20 calls within a second fail.

    It is closed again by `recovered`, which the prober calls, and by nothing else: while it is open nobody calls.
    Within a second after that, one failure opens it again. Each transition writes one line to the log.
    """

    def __init__(self, clock: Clock, name: str = "redis") -> None:
        self._clock = clock
        self._name = name
        self._in_a_row = 0
        self._recent: deque[tuple[int, bool]] = deque(maxlen=1_000)
        self._on_recovery: list[Callable[[], None]] = []
        self._opened = asyncio.Event()
        self._probation_until_us = 0
        self.is_open = False
        self.opened_us: int | None = None

    def on_recovery(self, act: Callable[[], None]) -> None:
        """`act` is called whenever the store is back. It must not raise."""
        self._on_recovery.append(act)

    async def wait_until_open(self) -> None:
        """Returns when the store is down."""
        await self._opened.wait()

    def succeeded(self) -> None:
        """A call was answered."""
        self._in_a_row = 0
        self._recent.append((self._clock.monotonic_us(), False))

    def failed(self, reason: str) -> None:
        """A call got no answer."""
        now_us = self._clock.monotonic_us()
        self._in_a_row += 1
        self._recent.append((now_us, True))
        if self._in_a_row >= CONSECUTIVE_FAILURES or now_us < self._probation_until_us or self._half_fail(now_us):
            self.trip(reason)

    def trip(self, reason: str) -> None:
        """The store is down, whatever was counted."""
        if self.is_open:
            return
        self.is_open, self.opened_us = True, self._clock.monotonic_us()
        self._opened.set()
        _log.error("%s is unavailable (%s): going on without it as configured", self._name, reason)

    def recovered(self) -> None:
        """The store answers again."""
        if not self.is_open:
            return
        now_us = self._clock.monotonic_us()
        down_s = (now_us - (self.opened_us or 0)) / SECOND_US
        self.is_open, self.opened_us, self._in_a_row = False, None, 0
        self._probation_until_us = now_us + PROBATION_US
        self._opened.clear()
        self._recent.clear()
        _log.warning("%s is back after %.1f s", self._name, down_s)
        for act in self._on_recovery:
            act()

    def _half_fail(self, now_us: int) -> bool:
        while self._recent and self._recent[0][0] <= now_us - WINDOW_US:
            self._recent.popleft()
        failures = sum(failed for _, failed in self._recent)
        return len(self._recent) >= MINIMUM_CALLS and failures >= FAILURE_RATE * len(self._recent)
