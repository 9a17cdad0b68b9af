from domain.durations import SECOND_US

LONGEST_PAUSE_US = 8 * SECOND_US
_MAX_DOUBLINGS = 40


def backoff_us(attempt: int, jitter: float, base_us: int = 250_000, cap_us: int = LONGEST_PAUSE_US) -> int:
    """How long to wait after failed attempt number `attempt` (from 1) before the same instance is tried again.

    Full jitter (Amazon's "Exponential Backoff And Jitter"): uniform over 0 to `base_us` doubled with every attempt,
    `cap_us` at most. `jitter` is uniform in [0, 1).
    """
    doublings = min(max(attempt, 1) - 1, _MAX_DOUBLINGS)
    return int(min(cap_us, base_us << doublings) * jitter)
