"""A limit for each minute of the clock.

The cheapest to count and to explain, and honest about its price: around the turn of a minute, twice the limit passes
within a moment.
"""

from domain.durations import MINUTE_US
from domain.limits.decision import Decision


class FixedWindow:
    """What was charged in the current minute. Mutable: the store that owns it changes it within one atomic step.

    `now_us` must never go back between calls on one window.
    """

    __slots__ = ("_minute", "_used")

    def __init__(self) -> None:
        self._minute: int | None = None
        self._used = 0

    def decide(self, limit: int, amount: int, now_us: int) -> Decision:
        """Whether `amount` more fits under `limit`; changes nothing."""
        is_current = self._minute == now_us // MINUTE_US
        used = self._used if is_current else 0
        rest_us = MINUTE_US - now_us % MINUTE_US
        if used + amount <= limit:
            return Decision(True, limit - used - amount, 0, rest_us)
        wait_us = rest_us if amount <= limit else None
        return Decision(False, max(0, limit - used), wait_us, rest_us if is_current else 0)

    def charge(self, amount: int, now_us: int) -> None:
        """Adds `amount` to the current minute."""
        minute = now_us // MINUTE_US
        if self._minute != minute:
            self._minute, self._used = minute, 0
        self._used += amount

    def settle(self, minute: int, difference: int) -> None:
        """Corrects what was charged in `minute`; one that is over stays as it was."""
        if self._minute == minute:
            self._used += difference
