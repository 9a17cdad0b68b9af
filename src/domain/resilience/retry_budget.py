"""How many second and later attempts the requests of one model may cause in one process."""

from dataclasses import dataclass

from domain.durations import SECOND_US

_MILLI_PER_TOKEN = 1_000
_BUCKET_S = 10


@dataclass(frozen=True, slots=True)
class RetryBudgetConfig:
    """`percent` retries for each hundred requests, and `min_per_second` besides. Both 0: no retries at all.

    Raises:
        ValueError: A number is negative.
    """

    percent: int = 20
    min_per_second: int = 3

    def __post_init__(self) -> None:
        for name in ("percent", "min_per_second"):
            if getattr(self, name) < 0:
                raise ValueError(f"retry budget: {name} must be at least 0, found {getattr(self, name)}")


class RetryBudget:
    """A token bucket after Finagle's RetryBudget: requests and time fill it, each retry takes one token.

    It holds ten seconds' worth of `min_per_second` and starts with that. Without a `min_per_second` it starts empty
    and keeps ten tokens of what requests put in. So in t seconds, n requests make at most
    n * (1 + percent/100) + min_per_second * (t + 10) attempts. Not for several threads.
    """

    __slots__ = ("_capacity_milli", "_config", "_filled_us", "_milli_tokens")

    def __init__(self, config: RetryBudgetConfig, now_us: int) -> None:
        floor_per_second = 1 if config.percent else 0
        self._config = config
        self._capacity_milli = _BUCKET_S * max(config.min_per_second, floor_per_second) * _MILLI_PER_TOKEN
        self._milli_tokens = _BUCKET_S * config.min_per_second * _MILLI_PER_TOKEN
        self._filled_us = now_us

    def deposit(self, now_us: int) -> None:
        """Counts one request; called once for each, before its first attempt."""
        self._refill(now_us)
        earned = self._config.percent * _MILLI_PER_TOKEN // 100
        self._milli_tokens = min(self._capacity_milli, self._milli_tokens + earned)

    def try_withdraw(self, now_us: int) -> bool:
        """Whether one retry may be made; it is paid for then."""
        self._refill(now_us)
        if self._milli_tokens < _MILLI_PER_TOKEN:
            return False
        self._milli_tokens -= _MILLI_PER_TOKEN
        return True

    def _refill(self, now_us: int) -> None:
        milli_per_second = self._config.min_per_second * _MILLI_PER_TOKEN
        elapsed_us = now_us - self._filled_us
        gained = elapsed_us * milli_per_second // SECOND_US
        if gained <= 0:
            return
        self._milli_tokens = min(self._capacity_milli, self._milli_tokens + gained)
        # Only the time that whole milli-tokens took is spent, rounded up: frequent calls neither lose nor gain.
        self._filled_us -= -gained * SECOND_US // milli_per_second
