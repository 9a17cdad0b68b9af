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

    `limit` is handed in with each call and may change between calls. Costs are whole microseconds, rounded up.
    """

    __slots__ = ("_tat_us",)

    def __init__(self) -> None:
        self._tat_us = 0

    def decide(self, limit: int, amount: int, now_us: int) -> Decision:
        """Whether `amount` is in the bucket now; changes nothing."""
        tat_us = self._read(now_us)
        room_us = now_us + MINUTE_US - tat_us
        cost_us = _cost_us(limit, amount)
        if cost_us <= room_us:
            return Decision(True, _affordable(limit, room_us - cost_us), 0, tat_us + cost_us - now_us)
        wait_us = cost_us - room_us if amount <= limit else None
        return Decision(False, _affordable(limit, max(0, room_us)), wait_us, tat_us - now_us)

    def charge(self, limit: int, amount: int, now_us: int) -> None:
        """Takes `amount` out."""
        self._tat_us = self._read(now_us) + _cost_us(limit, amount)

    def settle(self, limit: int, charged: int, actual: int, charged_us: int, now_us: int) -> None:
        """Corrects a charge made at `charged_us`.

        What has refilled since then may have been the charge's own and is not given back a second time. What was used
        beyond the charge is owed, also by an empty bucket.
        """
        too_much_us = _cost_us(limit, charged) - _cost_us(limit, actual)
        if too_much_us > 0:
            too_much_us = max(0, too_much_us - (now_us - charged_us))
        self._tat_us = min(self._read(now_us) - too_much_us, now_us + FARTHEST_US)

    def _read(self, now_us: int) -> int:
        if self._tat_us > now_us + FARTHEST_US:
            return now_us
        return max(now_us, self._tat_us)


def _cost_us(limit: int, amount: int) -> int:
    """How long `amount` takes to refill."""
    return -(-amount * MINUTE_US // limit)


def _affordable(limit: int, room_us: int) -> int:
    """The largest amount that costs at most `room_us`."""
    return room_us * limit // MINUTE_US
