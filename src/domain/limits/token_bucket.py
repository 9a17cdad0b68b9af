"""A bucket that holds a minute's worth and refills steadily, kept as one instant.

The generic cell rate algorithm (ITU-T I.371): the theoretical arrival time (TAT) is when the bucket is full again. A
charge moves it on; what is not in the future of now is full. In any span the bucket admits at most its limit plus what
refills in that span, so up to twice the limit in one minute: that is the price of letting bursts through.
"""

from domain.durations import MINUTE_US
from domain.limits.decision import Decision

# What was overdrawn by a settlement is owed for at most one more minute. A TAT further ahead was written by a clock
# that has gone back since, and says nothing.
FARTHEST_US = 2 * MINUTE_US


class TokenBucket:
    """One bucket. Mutable: the store that owns it changes it within one atomic step.

    `limit` is handed in with each call and may change between calls. The TAT is counted in fractions of a microsecond,
    1/limit each, in which every cost is a whole number: rounded ones would add up to less than the limit.
    """

    __slots__ = ("_limit", "_tat")

    def __init__(self) -> None:
        self._limit = 1
        self._tat = 0

    def decide(self, limit: int, amount: int, now_us: int) -> Decision:
        """Whether `amount` is in the bucket now; changes nothing."""
        taken = self._read(limit, now_us) - now_us * limit
        room, cost = limit * MINUTE_US - taken, amount * MINUTE_US
        if cost <= room:
            return Decision(True, (room - cost) // MINUTE_US, 0, _ceil(taken + cost, limit))
        wait_us = _ceil(cost - room, limit) if amount <= limit else None
        return Decision(False, max(0, room) // MINUTE_US, wait_us, _ceil(taken, limit))

    def charge(self, limit: int, amount: int, now_us: int) -> None:
        """Takes `amount` out."""
        self._move(limit, amount * MINUTE_US, now_us)

    def settle(self, limit: int, charged: int, actual: int, charged_us: int, now_us: int) -> None:
        """Corrects a charge made at `charged_us`.

        What has refilled since then may have been the charge's own and is not given back a second time. What was used
        beyond the charge is owed, also by an empty bucket.
        """
        too_much = (charged - actual) * MINUTE_US
        if too_much > 0:
            too_much = max(0, too_much - (now_us - charged_us) * limit)
        self._move(limit, -too_much, now_us)

    def _move(self, limit: int, by: int, now_us: int) -> None:
        if by != 0:
            self._tat = min(self._read(limit, now_us) + by, (now_us + FARTHEST_US) * limit)
            self._limit = limit

    def _read(self, limit: int, now_us: int) -> int:
        """The TAT in fractions of 1/`limit`; not before now."""
        tat = self._tat if limit == self._limit else _ceil(self._tat, self._limit) * limit
        if tat > (now_us + FARTHEST_US) * limit:
            return now_us * limit
        return max(now_us * limit, tat)


def _ceil(fractions: int, limit: int) -> int:
    """Whole microseconds."""
    return -(-fractions // limit)
