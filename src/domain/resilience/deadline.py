from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """The instant on the monotonic clock by which a request must have ended, whatever it tries."""

    at_us: int

    def remaining_us(self, now_us: int) -> int:
        """The span that is left; never below 0."""
        return max(0, self.at_us - now_us)

    def passed(self, now_us: int) -> bool:
        """Whether nothing is left."""
        return now_us >= self.at_us

    def attempt_timeout_us(self, base_us: int, multiple: float, attempt: int, now_us: int) -> int:
        """What attempt number `attempt` (from 1) may take: `base_us * multiple**(attempt-1)`, or what is left."""
        return min(int(base_us * multiple ** (attempt - 1)), self.remaining_us(now_us))
