"""A limit over any 60 seconds, counted in one-second buckets.

A bucket counts whole for as long as any part of it lies inside the window, so 61 buckets are read: never more than
the limit in any true 60 s, at the price of at most one second's worth of capacity.
"""

from domain.durations import SECOND_US
from domain.limits.decision import Decision

WINDOW_S = 60
_BUCKETS_READ = WINDOW_S + 1


class SlidingWindow:
    """Amounts charged in the last 60 s. Mutable: the store that owns it changes it within one atomic step.

    `now_us` must never go back between calls on one window.
    """

    __slots__ = ("_buckets", "_used")

    def __init__(self) -> None:
        self._buckets: dict[int, int] = {}
        self._used = 0

    def used(self, now_us: int) -> int:
        """What counts against the limit now."""
        oldest_counted = now_us // SECOND_US - WINDOW_S
        while self._buckets:
            second = next(iter(self._buckets))
            if second >= oldest_counted:
                break
            self._used -= self._buckets.pop(second)
        return self._used

    def decide(self, limit: int, amount: int, now_us: int) -> Decision:
        """Whether `amount` more fits under `limit`; changes nothing."""
        used = self.used(now_us)
        if used + amount <= limit:
            charged_until_us = (now_us // SECOND_US + _BUCKETS_READ) * SECOND_US
            return Decision(True, limit - used - amount, 0, charged_until_us - now_us)
        remaining = max(0, limit - used)
        return Decision(False, remaining, self._wait_us(limit, amount, now_us), self._span_until_all_gone(now_us))

    def charge(self, amount: int, now_us: int) -> int:
        """Adds `amount` to the current bucket and returns the bucket's second, by which `settle` finds it."""
        self.used(now_us)
        second = now_us // SECOND_US
        self._buckets[second] = self._buckets.get(second, 0) + amount
        self._used += amount
        return second

    def settle(self, second: int, difference: int) -> None:
        """Corrects what was charged in `second`; a bucket that has left the window stays as it was."""
        if second in self._buckets:
            self._buckets[second] += difference
            self._used += difference

    def _wait_us(self, limit: int, amount: int, now_us: int) -> int | None:
        if amount > limit:
            return None
        left = self._used
        for second, charged in self._buckets.items():
            left -= charged
            if left + amount <= limit:
                return (second + _BUCKETS_READ) * SECOND_US - now_us
        return 0

    def _span_until_all_gone(self, now_us: int) -> int:
        if not self._buckets:
            return 0
        newest = next(reversed(self._buckets))
        return (newest + _BUCKETS_READ) * SECOND_US - now_us
