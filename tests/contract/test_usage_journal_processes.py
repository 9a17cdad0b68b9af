import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from adapters.outbound.system.usage_journal import SystemUsageJournal
from adapters.testing.usage_journal_contract import intent, outcome, waiting, write

Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": f"{root / 'src'}:{root}"}

    with ExitStack() as running:

        def started(role: str) -> "subprocess.Popen[str]":
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.contract.journal_process", role, str(tmp_path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=environment,
                cwd=root,
            )
            running.enter_context(process)
            running.callback(process.kill)
            return process

        yield started


def line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


async def test_a_killed_writer_loses_nothing(start: Start, tmp_path: Path) -> None:
    writer = start("write")
    assert line(writer) == "written"
    journal = SystemUsageJournal(tmp_path)
    assert await journal.adopt() == 0

    writer.kill()
    writer.wait()

    assert await journal.adopt() > 1
    found = {record.record_id: record for record in waiting(journal)}
    expected = [*map(outcome, range(200)), intent(200).unresolved()]
    assert found == {record.record_id: record for record in expected}


def test_two_processes_that_adopt_at_once_share_the_files(start: Start, tmp_path: Path) -> None:
    everything = set()
    for number in range(40):
        dead = SystemUsageJournal(tmp_path)
        write(dead, number)
        dead.close()
        everything.add(outcome(number).record_id)
    adopters = [start("adopt"), start("adopt")]
    assert [line(adopter) for adopter in adopters] == ["ready", "ready"]

    for adopter in adopters:
        assert adopter.stdin is not None
        adopter.stdin.write("go\n")
        adopter.stdin.flush()
    found = [record_id for adopter in adopters for record_id in line(adopter).split()]

    assert sorted(found) == sorted(everything)
