import heapq

from application.ports.clock import Clock
from domain.budget.charge import BudgetId
from domain.durations import SECOND_US

LOOK_AGAIN_AFTER_US = 15 * SECOND_US
"""Longer than usage is on its way to the ledger while everything is well."""

LAST_LOOK_AFTER_US = 40 * SECOND_US
"""Longer than it takes where the stream lost it, too: after 16 s its journal sends it again."""

_MOST = 10_000
_MOST_TRIES = 8


class Doubts:
    """Budgets whose count may be too low, because something was on its way when it was made. To be compared again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: list[tuple[int, BudgetId]] = []
        self._all_due_us: list[int] = []
        self._tries: dict[BudgetId, int] = {}

    def add(self, budget: BudgetId, *after_us: int) -> None:
        """To be compared each time that so much has passed. Of very many some wait for the hourly comparison."""
        for span_us in after_us or (LOOK_AGAIN_AFTER_US, LAST_LOOK_AFTER_US):
            if len(self._due) < _MOST:
                heapq.heappush(self._due, (self._clock.monotonic_us() + span_us, budget))

    def again(self, budget: BudgetId) -> None:
        """What was on its way hid whether the count is too low: compared once more, so many times."""
        tries = self._tries.get(budget, 0) + 1
        if tries > _MOST_TRIES:
            self.settled(budget)
            return
        self._tries[budget] = tries
        self.add(budget, LOOK_AGAIN_AFTER_US)

    def settled(self, budget: BudgetId) -> None:
        """A comparison has shown that the count is complete, or has lifted it."""
        self._tries.pop(budget, None)

    def add_all(self, *after_us: int) -> None:
        """All are to be compared: a process died, and with it what it doubted."""
        now_us = self._clock.monotonic_us()
        self._all_due_us = [
            *self._all_due_us[-1:],
            *(now_us + one for one in after_us or (LOOK_AGAIN_AFTER_US, LAST_LOOK_AFTER_US)),
        ]

    def take_all(self) -> bool:
        """Whether the time of all has come. Says so once."""
        now_us = self._clock.monotonic_us()
        waiting = [due_us for due_us in self._all_due_us if due_us > now_us]
        is_due = len(waiting) < len(self._all_due_us)
        self._all_due_us = waiting
        return is_due

    def take(self) -> list[BudgetId]:
        """Those whose time has come, each once."""
        now_us = self._clock.monotonic_us()
        taken: dict[BudgetId, None] = {}
        while self._due and self._due[0][0] <= now_us:
            taken[heapq.heappop(self._due)[1]] = None
        return list(taken)
