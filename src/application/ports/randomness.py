from typing import Protocol


class Randomness(Protocol):
    """Chance. Not for secrets."""

    def draw(self) -> float:
        """Uniform in [0, 1)."""
        ...

    def bits(self, count: int) -> int:
        """A uniform integer of `count` bits, from the operating system: good enough for identifiers."""
        ...
