"""A real small model's server, and when it serves."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e import raw_http
from tests.e2e.support import eventually

ROOT = Path(__file__).parents[2]
START_S = 30.0


@contextmanager
def model_server(port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A model server's process; killed on the way out where it still lives."""
    command = [sys.executable, "-m", "tests.e2e.model_server", str(port)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


async def serves(port: int) -> bool:
    try:
        return (await raw_http.exchange(port, raw_http.get("/v1/models"), within_s=5)).status == 200
    except (OSError, EOFError):
        return False


async def until_it_serves(port: int) -> None:
    """Returns when it answers."""
    await eventually(lambda: serves(port), within_s=START_S, what="the model server answers")
