"""What leaves in one write."""

from dataclasses import dataclass

from adapters.outbound.redis.asked import Asked

LARGEST_BATCH = 256


@dataclass(slots=True, eq=False)
class Batch:
    """Commands that were asked in one turn of the event loop.

    Attributes:
        started_s: When, by the clock of the event loop.
        answered: How many of them were.
        outage: What one of the answers said of the store.
    """

    asked: list[Asked]
    started_s: float
    answered: int = 0
    outage: Exception | None = None


def batches(asked: list[Asked], started_s: float) -> list[Batch]:
    """`asked` in the same order, in batches that are not too large."""
    return [Batch(asked[first : first + LARGEST_BATCH], started_s) for first in range(0, len(asked), LARGEST_BATCH)]
