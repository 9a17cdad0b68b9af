from dataclasses import dataclass

from domain.durations import SECOND_US

_MAX_DOUBLINGS = 40
"""Enough to lift any sensible open time over its cap, and small enough for doubles to hold the product."""


@dataclass(frozen=True, slots=True)
class CircuitBreakerConfig:
    """When circuits open, for how long, and how they close. Spans in microseconds, rates as shares of all calls.

    Attributes:
        minimum_calls: The window must hold as many before a rate can open the circuit.
        slow_call_duration_us: A call that takes longer is a slow one; told by the caller of `record`.
        consecutive_failures: As many in a row open it, whatever the rates say.
        half_open_probes: Probes in flight at a time.
        probes_to_close: Successful probes that close it.
        max_open_fraction: Share of a model's instances that may be out of rotation with an open circuit.
        slow_start_us: How long the weight ramps up after closing; 0 for no ramp.

    Raises:
        ValueError: A number is out of its range.
    """

    window_us: int = 30 * SECOND_US
    minimum_calls: int = 10
    failure_rate: float = 0.5
    slow_call_duration_us: int = 60 * SECOND_US
    slow_call_rate: float = 1.0
    consecutive_failures: int = 3
    open_duration_us: int = 5 * SECOND_US
    max_open_duration_us: int = 300 * SECOND_US
    half_open_probes: int = 1
    probes_to_close: int = 2
    max_open_fraction: float = 0.5
    slow_start_us: int = 30 * SECOND_US

    def __post_init__(self) -> None:
        least_allowed = {
            "window_us": SECOND_US,
            "minimum_calls": 1,
            "slow_call_duration_us": 1,
            "consecutive_failures": 1,
            "open_duration_us": 1,
            "max_open_duration_us": self.open_duration_us,
            "half_open_probes": 1,
            "probes_to_close": 1,
            "slow_start_us": 0,
        }
        for name, least in least_allowed.items():
            if getattr(self, name) < least:
                raise ValueError(f"circuit breaker: {name} must be at least {least}, found {getattr(self, name)}")
        for name in ("failure_rate", "slow_call_rate"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"circuit breaker: {name} must be above 0 and at most 1, found {getattr(self, name)}")
        if not 0 <= self.max_open_fraction <= 1:
            raise ValueError(f"circuit breaker: max_open_fraction must be 0 to 1, found {self.max_open_fraction}")

    def jittered_open_us(self, opens: int, jitter: float) -> int:
        """How long the circuit stays open the `opens`th time in a row: doubling up to the cap, then spread.

        Half of it is certain and half is up to `jitter` (in [0, 1)), so that instances that failed together are not
        probed together. Never below 1.
        """
        doublings = min(max(opens, 1) - 1, _MAX_DOUBLINGS)
        span_us = min(self.max_open_duration_us, self.open_duration_us << doublings)
        return max(1, int(span_us * (0.5 + 0.5 * jitter)))
