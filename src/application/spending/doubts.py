import heapq

from application.ports.clock import Clock
from domain.budget.charge import BudgetId
from domain.durations import SECOND_US

LOOK_AGAIN_AFTER_US = 15 * SECOND_US
"""Longer than usage is on its way to the ledger while everything is well."""

LAST_LOOK_AFTER_US = 40 * SECOND_US
"""Longer than it takes where the stream lost it, too: after 16 s its journal sends it again."""

_MOST = 10_000
MOST_TRIES = 8
"""Of comparisons that saw nothing, because more was on its way than may be missing."""


class Doubts:
    """Budgets whose count may be too low, because something was on its way when it was made. To be compared again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: list[tuple[int, BudgetId, int]] = []
        self._all_due_us: list[int] = []

    def add(self, budget: BudgetId, *after_us: int) -> None:
        """To be compared each time that so much has passed. Of very many some wait for the hourly comparison."""
        for span_us in after_us or (LOOK_AGAIN_AFTER_US, LAST_LOOK_AFTER_US):
            self._push(budget, span_us, 0)

    def again(self, budget: BudgetId, tries: int) -> None:
        """What was on its way hid whether the count is too low: compared once more, but not for ever.

        `tries`: how often that was so before.
        """
        if tries < MOST_TRIES:
            self._push(budget, LOOK_AGAIN_AFTER_US, tries + 1)

    def add_all(self, *after_us: int) -> None:
        """All are to be compared: a process died, and with it what it doubted."""
        now_us = self._clock.monotonic_us()
        self._all_due_us += [now_us + span_us for span_us in after_us or (LOOK_AGAIN_AFTER_US, LAST_LOOK_AFTER_US)]

    def take_all(self) -> bool:
        """Whether the time of all has come. Says so once."""
        now_us = self._clock.monotonic_us()
        waiting = [due_us for due_us in self._all_due_us if due_us > now_us]
        is_due = len(waiting) < len(self._all_due_us)
        self._all_due_us = waiting
        return is_due

    def take(self) -> dict[BudgetId, int]:
        """Those whose time has come, with how often they were looked at in vain."""
        now_us = self._clock.monotonic_us()
        taken: dict[BudgetId, int] = {}
        while self._due and self._due[0][0] <= now_us:
            _, budget, tries = heapq.heappop(self._due)
            taken[budget] = max(tries, taken.get(budget, 0))
        return taken

    def _push(self, budget: BudgetId, span_us: int, tries: int) -> None:
        if len(self._due) < _MOST:
            heapq.heappush(self._due, (self._clock.monotonic_us() + span_us, budget, tries))
