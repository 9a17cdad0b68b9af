"""What a MemoryResponseCache costs the process, however much it is offered: measured in a process of its own."""

import asyncio
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.outbound.memory.response_cache import MemoryResponseCache
from adapters.testing.virtual_time import ManualClock
from domain.chat import Usage
from domain.response_cache import CachedReply
from tests.architecture.source_tree import ROOT

MAX_BYTES = 16 * 1_024 * 1_024
TTL_US = 60_000_000

TOLERANCE = 1.3
"""How much the process may grow for each byte of the bound: accounting leaves out what the allocator keeps free."""


def resident_bytes() -> int:
    """What the process has now. Its `ru_maxrss` would not do: that includes what its parent had."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()


async def offer(count: int) -> tuple[int, int]:
    """The most that the cache said to have, and by how much the process grew at most, in bytes."""
    clock = ManualClock()
    cache = MemoryResponseCache(clock, max_bytes=MAX_BYTES)
    before, most, largest = resident_bytes(), 0, 0
    for number in range(count):
        usage = Usage(number, number)
        reply = CachedReply(b"%1024d" % number, f"model {number % 7}", clock.now_us() + number, usage)
        await cache.put(f"scope {number % 5}", f"{number:064x}", reply, TTL_US)
        if number % 1_000 == 0 or number > count - 100:
            most, largest = max(most, (await cache.stats()).bytes), max(largest, resident_bytes())
    return most, largest - before


@pytest.mark.parametrize("count", [100_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_distinct_replies_offered_without_end_stay_within_the_bound(count: int) -> None:
    child = subprocess.run(
        [sys.executable, "-m", "tests.contract.test_cache_memory", str(count)],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    accounted, grown = map(int, child.stdout.split())

    # Full, or nothing would have been measured.
    assert 0.99 * MAX_BYTES < accounted <= MAX_BYTES
    assert MAX_BYTES / 2 < grown <= TOLERANCE * MAX_BYTES


if __name__ == "__main__":
    sys.stdout.write(" ".join(map(str, asyncio.run(offer(int(sys.argv[1]))))))
