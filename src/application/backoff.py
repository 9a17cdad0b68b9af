from application.ports.randomness import Randomness

_LEAST_US = 50_000
_MOST_DOUBLINGS = 20


class Backoff:
    """Pauses between tries at something that is away: anything up to a bound that doubles (full jitter).

    So those who wait for the same thing do not come back together. A pause is never below 50 ms.
    """

    def __init__(self, randomness: Randomness, first_us: int, longest_us: int) -> None:
        self._randomness = randomness
        self._first_us = first_us
        self._longest_us = longest_us
        self._failures = 0

    def next_us(self) -> int:
        """How long to wait after one more failure."""
        bound_us = min(self._longest_us, self._first_us << self._failures)
        self._failures = min(self._failures + 1, _MOST_DOUBLINGS)
        return max(_LEAST_US, round(bound_us * self._randomness.draw()))

    def reset(self) -> None:
        """It is back."""
        self._failures = 0
