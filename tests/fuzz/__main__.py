"""`python -m tests.fuzz`: each target in a process of its own; how many inputs, how long, and what crashed."""

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from tests.fuzz.registry import TARGETS
from tests.fuzz.target import checked

_FOLDER: Final = Path(".fuzz")
_TELL_EVERY_S: Final = 5.0
_PULSE: Final = re.compile(r"#(\d+)\s")
_DONE: Final = re.compile(r"stat::number_of_executed_units:\s*(\d+)")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one target."""

    name: str
    inputs: int
    seconds: float
    crashes: tuple[Path, ...]
    failed: bool


def main(arguments: Sequence[str]) -> int:
    """0 where nothing crashed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000, help="inputs for each target (100000)")
    parser.add_argument("--seconds", type=int, default=0, help="at most, for each target (0: no limit)")
    parser.add_argument(
        "--target", action="append", default=[], choices=sorted(TARGETS), help="only this one, or these"
    )
    parser.add_argument("--repeat", type=Path, help="this one input again, in the one target")
    asked = parser.parse_args(arguments)
    names = asked.target or list(TARGETS)
    if asked.repeat is not None:
        checked(TARGETS[names[0]], asked.repeat.read_bytes())
        print("nothing is wrong with it")
        return 0
    outcomes = [_fuzzed(name, asked.runs, asked.seconds) for name in names]
    print(f"{'target':24}{'inputs':>12}{'seconds':>10}{'crashes':>9}")
    for each in outcomes:
        print(f"{each.name:24}{each.inputs:>12,}{each.seconds:>10.0f}{len(each.crashes):>9}")
        for crash in each.crashes:
            print(f"  again: .venv/bin/python -m tests.fuzz --target {each.name} --repeat {crash}")
    failed = sum(each.failed for each in outcomes)
    print(f"{sum(each.inputs for each in outcomes):,} inputs in {len(outcomes)} targets, {failed} of them crashed")
    return 1 if failed else 0


def _fuzzed(name: str, runs: int, seconds: int) -> Outcome:
    folder = _FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    before, began_s = set(_crashes(folder)), time.monotonic()
    command = [sys.executable, "-m", "tests.fuzz.one", name, str(folder), str(runs), str(seconds)]
    log = folder / "log"
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace"
    ) as ran:
        assert ran.stderr is not None
        with log.open("w", encoding="utf-8") as kept:
            inputs = _followed(name, ran.stderr, kept)
    failed = ran.returncode != 0
    if failed:
        print("".join(log.read_text("utf-8").splitlines(keepends=True)[-40:]), file=sys.stderr)
    crashes = tuple(sorted(set(_crashes(folder)) - before))
    return Outcome(name, inputs, time.monotonic() - began_s, crashes, failed)


def _followed(name: str, output: IO[str], kept: IO[str]) -> int:
    """Passes on how far it is; how many inputs it has tried."""
    inputs, told_s = 0, time.monotonic()
    for line in output:
        kept.write(line)
        found = _PULSE.match(line) or _DONE.search(line)
        inputs = max(inputs, int(found[1])) if found else inputs
        if found and time.monotonic() - told_s > _TELL_EVERY_S:
            told_s = time.monotonic()
            print(f"{name}: {inputs:,} inputs", file=sys.stderr, flush=True)
    print(f"{name}: {inputs:,} inputs, done", file=sys.stderr, flush=True)
    return inputs


def _crashes(folder: Path) -> list[Path]:
    return [path for kind in ("crash", "timeout", "oom") for path in folder.glob(f"{kind}-*")]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
