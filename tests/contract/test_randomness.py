import pytest

from adapters.outbound.system.randomness import SystemRandomness
from adapters.testing.doubles import SeededRandomness
from adapters.testing.small_contracts import RandomnessContract
from application.ports.randomness import Randomness


class TestSystemRandomness(RandomnessContract):
    @pytest.fixture
    def randomness(self) -> Randomness:
        return SystemRandomness()


class TestSeededRandomness(RandomnessContract):
    @pytest.fixture
    def randomness(self) -> Randomness:
        return SeededRandomness(1)


def test_the_same_seed_draws_the_same_numbers() -> None:
    first, second = SeededRandomness(5), SeededRandomness(5)

    assert [first.draw() for _ in range(10)] == [second.draw() for _ in range(10)]
