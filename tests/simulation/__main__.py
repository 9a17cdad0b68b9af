"""`python -m tests.simulation`: many seeds, each twice; what was violated, and how to see it again."""

import argparse
import gc
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.simulation.sightings import Sightings, never_met
from tests.simulation.simulation import simulate
from tests.simulation.world import Told

_TELL_EVERY_S = 5.0
_ENOUGH = 200
"""Seeds in which every fault has met every state."""


def run_twice(seed: int, minutes: float) -> Told:
    """One seed; that its second run went another way is a violation, too."""
    told, again = simulate(seed, minutes), simulate(seed, minutes)
    if told.trace != again.trace:
        told.violations.append(f"not repeatable: traces {told.trace} and {again.trace}")
    return told


def main(arguments: Sequence[str]) -> int:
    """0 where nothing was violated."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=50, help="how many (50)")
    parser.add_argument("--first", type=int, default=1, help="the first of them (1)")
    parser.add_argument("--minutes", type=float, default=10.0, help="of virtual time for each (10)")
    parser.add_argument("--workers", type=int, default=2, help="processes (2)")
    asked = parser.parse_args(arguments)
    seeds = range(asked.first, asked.first + asked.seeds)
    began_s, told_s, violated = time.monotonic(), 0.0, 0
    faults: Counter[str] = Counter()
    met: Sightings = Counter()
    requests, virtual_s = 0, 0.0
    with ProcessPoolExecutor(asked.workers, initializer=gc.freeze) as pool:
        for done, told in enumerate(pool.map(partial(run_twice, minutes=asked.minutes), seeds), 1):
            faults.update(told.faults)
            met.update(told.met)
            requests, virtual_s = requests + told.requests, virtual_s + told.virtual_s
            if told.violations:
                violated += 1
                _tell(told, asked.minutes)
            if time.monotonic() - told_s > _TELL_EVERY_S:
                told_s = time.monotonic()
                print(f"{done} of {asked.seeds} seeds, {violated} violated", file=sys.stderr, flush=True)
    for name, count in sorted(faults.items()):
        print(f"{count:>9}  {name}")
    missing = never_met(met, faults)
    print(f"{len({pair for pair in met if met[pair]})} pairs of a fault and a state of the world were met")
    if asked.seeds >= _ENOUGH and missing:
        violated += 1
        print(f"never met: {', '.join(f'{fault} while {state}' for fault, state in missing)}")
    print(
        f"{asked.seeds} seeds, each twice: {virtual_s / 60:.0f} virtual minutes, {requests} requests, "
        f"{sum(faults.values())} faults, {violated} seeds with violations, {time.monotonic() - began_s:.0f} s"
    )
    return 1 if violated else 0


def _tell(told: Told, minutes: float) -> None:
    print(f"seed {told.seed}: python -m tests.simulation --seeds 1 --first {told.seed} --minutes {minutes:g}")
    for violation in told.violations:
        print(f"  {violation}")
    sys.stdout.flush()


def _with_fixed_hashes() -> None:
    """Starts this process again where the order of sets would be another one each time."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(sys.executable, sys.orig_argv, os.environ | {"PYTHONHASHSEED": "0"})


if __name__ == "__main__":
    _with_fixed_hashes()
    sys.exit(main(sys.argv[1:]))
