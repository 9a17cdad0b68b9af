"""`python -m tests.simulation.planted`: plants bugs in a copy of the gateway, and says which seed finds each first."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_LOOK = """
import sys
from tests.simulation.simulation import simulate
for seed in range(1, {seeds} + 1):
    try:
        violations = simulate(seed).violations
    except Exception as error:
        violations = [repr(error)]
    if violations:
        print(seed, violations[0])
        break
"""


@dataclass(frozen=True, slots=True)
class Bug:
    """`old` in the file at `path` becomes `new`."""

    name: str
    path: str
    old: str
    new: str


BUGS = (
    Bug(
        "a budget's settlement is counted again when it is told again",
        "domain/budget/account.py",
        "        if isinstance(answer, Resolved):\n            return answer\n",
        "",
    ),
    Bug(
        "an instance takes one more than it may at once (`>` for `>=`)",
        "domain/routing/admission.py",
        "state.leases.live(now_us) >= limits.max_parallel",
        "state.leases.live(now_us) > limits.max_parallel",
    ),
    Bug(
        "a hard budget does not count what is asked for",
        "domain/budget/account.py",
        "(charge.hard and taken_nano > charge.limit_nano)",
        "(charge.hard and taken_nano - asked.amount_nano > charge.limit_nano)",
    ),
    Bug(
        "money held for a request that ends early is not released",
        "application/attempt_admission.py",
        "        self.reserving.let_go(journey)\n",
        "        pass\n",
    ),
    Bug(
        "a provider's 400 counts as a failure",
        "domain/failure.py",
        "_CLIENTS_FAULT = Verdict(retry=False, blame=Blame.IGNORED)",
        "_CLIENTS_FAULT = Verdict(retry=False, blame=Blame.FAILURE)",
    ),
    Bug(
        "a report from before a circuit moved moves it again (stale success)",
        "domain/resilience/circuit_breaker.py",
        "    if generation != circuit.generation or outcome",
        "    if outcome",
    ),
    Bug(
        "a success that was no probe closes a circuit",
        "domain/resilience/circuit_breaker.py",
        "    if generation != circuit.generation or outcome is Outcome.IGNORED or circuit.forced is not None:\n"
        "        return None, freed\n"
        "    if circuit.state is CircuitState.CLOSED:\n"
        "        after = _count(config, circuit, now_us, outcome is Outcome.FAILURE, slow, jitter)\n"
        "    elif not _holds_probe(circuit, permit_id, now_us):\n"
        "        return None, freed\n",
        "    if outcome is Outcome.IGNORED or circuit.state is CircuitState.OPEN:\n"
        "        return None, freed\n"
        "    if circuit.state is CircuitState.CLOSED:\n"
        "        after = _count(config, circuit, now_us, outcome is Outcome.FAILURE, slow, jitter)\n",
    ),
    Bug(
        "the stream takes a record twice (double XADD)",
        "domain/usage_stream.py",
        "            return False\n        self._waiting[record_id] = record",
        "            pass\n        self._waiting[record_id] = record",
    ),
    Bug(
        "the ledger takes a record twice",
        "adapters/outbound/memory/ledger.py",
        "self._records.setdefault(record.record_id, record)",
        "self._records[record.record_id + str(len(self._records))] = record",
    ),
    Bug(
        "a lease is not given back",
        "domain/limits/leases.py",
        "return self._expires_us.pop(lease, None) is not None",
        "return lease in self._expires_us",
    ),
    Bug(
        "leases are not renewed",
        "application/lease_keeper.py",
        "await self._routing.renew(dict(self._held), LEASE_US)",
        "pass",
    ),
    Bug(
        "a circuit lets two probes through at once (`>` for `>=`)",
        "domain/resilience/circuit_breaker.py",
        "if len(live) >= config.half_open_probes:",
        "if len(live) > config.half_open_probes:",
    ),
    Bug(
        "a round-robin forgets whose turn it was",
        "domain/routing/admission.py",
        "    turns.update((turn.key, credits_after) for turn, credits_after in path.turns)\n",
        "",
    ),
    Bug(
        "a minute is a second short",
        "domain/limits/sliding_window.py",
        "WINDOW_S = 60\n",
        "WINDOW_S = 58\n",
    ),
    Bug(
        "journals of dead processes are not adopted",
        "application/usage/deliver_usage.py",
        "        files = await self._journal.adopt()\n",
        "        files = 0\n",
    ),
    Bug(
        "a record counts as delivered when it is sent",
        "application/usage/deliver_usage.py",
        "            if answer or not again:\n                self._way.sent(record_id, now_us)",
        "            if answer or not again:\n                self._way.sent(record_id, now_us)\n"
        "                self._told.add(record_id)",
    ),
    Bug(
        "a lost store is not given its reservations back",
        "application/spending/spends.py",
        "            await self._restore_lost()\n",
        "            pass\n",
    ),
    Bug(
        "a settlement that failed is not tried again",
        "application/spending/spends.py",
        "        except (StateUnavailable, LockTaken):\n            return\n",
        "        except (StateUnavailable, LockTaken):\n            spend.booked_us = 0\n            return\n",
    ),
    Bug(
        "what is told afterwards goes by the id that is being taken back",
        "application/attempt_admission.py",
        "self.reserving.withdrawn(journey",
        "self.reserving.missed(journey",
    ),
    Bug(
        "what a killed process doubted is doubted by nobody",
        "application/usage/deliver_usage.py",
        "            self._on_died()\n",
        "",
    ),
    Bug(
        "an adopted end that differs puts no budget in doubt",
        "application/spending/spends.py",
        "if ended is None or ended.actual_nano != record.cost_nano:",
        "if ended is None:",
    ),
)


def first_seed(bug: Bug, seeds: int) -> str:
    """The first seed that finds it, and what it found; empty where none does."""
    with tempfile.TemporaryDirectory(prefix="moongate-planted-") as directory:
        copy = Path(directory)
        for name in ("src", "tests", "lua"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        file = copy / "src" / bug.path
        text = file.read_text()
        if bug.old not in text:
            raise SystemExit(f"{bug.path} has no such lines any more: {bug.name}")
        file.write_text(text.replace(bug.old, bug.new, 1))
        surroundings = os.environ | {"PYTHONPATH": f"{copy / 'src'}:{copy}", "PYTHONHASHSEED": "0"}
        command = [sys.executable, "-c", _LOOK.format(seeds=seeds)]
        run = subprocess.run(command, cwd=copy, env=surroundings, capture_output=True, text=True, check=False)
        return run.stdout.strip() if run.returncode == 0 else f"failed: {run.stderr.strip()[-300:]}"


def main(arguments: Sequence[str]) -> int:
    """0 where each was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.planted", description=__doc__)
    parser.add_argument("--seeds", type=int, default=60, help="how many are tried (60)")
    parser.add_argument("--only", default="", help="bugs whose name has this in it")
    asked = parser.parse_args(arguments)
    missed = 0
    for bug in (bug for bug in BUGS if asked.only in bug.name):
        found = first_seed(bug, asked.seeds)
        seed, _, violation = found.partition(" ")
        missed += not seed.isdigit()
        print(f"| {bug.name} | {seed if seed.isdigit() else found or 'not found'} | {violation[:160]} |", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
