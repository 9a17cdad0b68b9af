"""How well an instance does, in one number for people."""

from domain.durations import SECOND_US

FULL_SCORE_UP_TO_US = SECOND_US // 2
ZERO_SCORE_FROM_US = 10 * SECOND_US

_SPAN_US = ZERO_SCORE_FROM_US - FULL_SCORE_UP_TO_US


def health_score(p95_us: int | None) -> int:
    """100 up to a 95th percentile of 500 ms and where nothing was measured, falling evenly to 0 at 10 s.

    Rounded down, so that 100 is kept for those who meet the 500 ms. It is shown, and never used to choose.
    """
    if p95_us is None:
        return 100
    return min(100, max(0, 100 * (ZERO_SCORE_FROM_US - p95_us) // _SPAN_US))
