"""How many second and later attempts the requests of one model may cause in one process."""

from dataclasses import dataclass

_MICRO_PER_TOKEN = 1_000_000
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

    __slots__ = ("_capacity_micro", "_config", "_filled_us", "_micro_tokens")

    def __init__(self, config: RetryBudgetConfig, now_us: int) -> None:
        floor_per_second = 1 if config.percent else 0
        self._config = config
        self._capacity_micro = _BUCKET_S * max(config.min_per_second, floor_per_second) * _MICRO_PER_TOKEN
        self._micro_tokens = _BUCKET_S * config.min_per_second * _MICRO_PER_TOKEN
        self._filled_us = now_us

    def deposit(self, now_us: int) -> None:
        """Counts one request; called once for each, before its first attempt."""
        self._refill(now_us)
        earned = self._config.percent * _MICRO_PER_TOKEN // 100
        self._micro_tokens = min(self._capacity_micro, self._micro_tokens + earned)

    def try_withdraw(self, now_us: int) -> bool:
        """Whether one retry may be made; it is paid for then."""
        self._refill(now_us)
        if self._micro_tokens < _MICRO_PER_TOKEN:
            return False
        self._micro_tokens -= _MICRO_PER_TOKEN
        return True

    def _refill(self, now_us: int) -> None:
        elapsed_us = now_us - self._filled_us
        if elapsed_us <= 0:
            return
        # One token a second is one micro-token a microsecond: nothing is ever rounded.
        gained = elapsed_us * self._config.min_per_second
        self._micro_tokens = min(self._capacity_micro, self._micro_tokens + gained)
        self._filled_us = now_us
