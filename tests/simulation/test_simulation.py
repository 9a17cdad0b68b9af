"""A few whole fleets in virtual time; `make simulate` runs many."""

import pytest

from tests.simulation.__main__ import run_twice
from tests.simulation.simulation import simulate

FOUND = {
    "what is told afterwards is taken back with the lost admission": 1,
    "an end that a full disk did not take dies with its process": 39,
}
"""What seeds have found; each finds it again where its mend is taken out."""


@pytest.mark.parametrize("seed", FOUND.values(), ids=FOUND.keys())
def test_a_seed_that_found_a_defect_violates_nothing(seed: int) -> None:
    assert simulate(seed).violations == []


@pytest.mark.parametrize("seed", [2, 16])
def test_a_seed_decides_everything_that_happens(seed: int) -> None:
    assert run_twice(seed, 10).violations == []


def test_other_seeds_go_other_ways() -> None:
    assert simulate(2, 6).trace != simulate(4, 6).trace
