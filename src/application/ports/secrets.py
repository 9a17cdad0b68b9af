from typing import Protocol


class Secrets(Protocol):
    """Randomness that nobody can guess."""

    def secret_bits(self, count: int) -> int:
        """An integer of `count` random bits, from the operating system's generator for secrets."""
        ...
