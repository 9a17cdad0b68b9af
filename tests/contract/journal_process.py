"""Another process with a journal: `write` until it is killed, or `adopt` what is there and print how many records."""

import asyncio
import sys
from pathlib import Path

from adapters.outbound.system.usage_journal import SystemUsageJournal
from adapters.testing.usage_journal_contract import intent, waiting, write


def _write(directory: Path) -> None:
    journal = SystemUsageJournal(directory, rotate_bytes=50_000)
    write(journal, *range(200))
    journal.append_intent(intent(200))
    print("written", flush=True)  # noqa: T201 - what the test waits for
    sys.stdin.read()


def _adopt(directory: Path) -> None:
    journal = SystemUsageJournal(directory)
    print("ready", flush=True)  # noqa: T201 - what the test waits for
    sys.stdin.readline()
    asyncio.run(journal.adopt())
    print(" ".join(record.record_id for record in waiting(journal)), flush=True)  # noqa: T201 - the answer
    sys.stdin.read()


if __name__ == "__main__":
    {"write": _write, "adopt": _adopt}[sys.argv[1]](Path(sys.argv[2]))
