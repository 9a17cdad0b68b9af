"""A few whole fleets in virtual time; `make simulate` runs many."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOUND = {
    "what is told afterwards is taken back with the lost admission": 29,
    "an end that a full disk did not take dies with its process": 39,
    "what a killed process doubted of a soft budget is doubted by nobody": 18,
    "what a killed process doubted of a hard budget is doubted by nobody": 403,
    "what is on its way hides from every comparison that a count is too low": 251,
    "what was reserved unheard for an attempt that never ran stays reserved": 143,
    "a reservation that arrives after it was given back stays reserved": 94,
}
"""What seeds have found. The world of a seed changes with the simulation, so that another one may find it first now."""


def simulated(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.simulation", "--workers", "1", *arguments]
    surroundings = os.environ | {"PYTHONPATH": str(ROOT / "src"), "PYTHONHASHSEED": "0"}
    return subprocess.run(command, cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("seed", FOUND.values(), ids=FOUND.keys())
def test_a_seed_that_found_a_defect_violates_nothing(seed: int) -> None:
    run = simulated("--seeds", "1", "--first", str(seed))

    assert run.returncode == 0, run.stdout + run.stderr


def test_seeds_violate_nothing_and_go_the_same_way_twice() -> None:
    run = simulated("--seeds", "6", "--first", "2")

    assert run.returncode == 0, run.stdout + run.stderr
    assert "6 seeds, each twice" in run.stdout
