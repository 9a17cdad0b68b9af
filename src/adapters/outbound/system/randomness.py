import random
import secrets

from application.ports.randomness import Randomness


class SystemRandomness:
    """Chance from the interpreter for choices, from the operating system for identifiers."""

    def __init__(self) -> None:
        self._random = random.Random(secrets.randbits(128))  # noqa: S311 - chooses instances, guards nothing

    def draw(self) -> float:
        return self._random.random()

    def bits(self, count: int) -> int:
        return secrets.randbits(count)


_conforms: type[Randomness] = SystemRandomness
