"""Starts whose standard output is closed, full or read by nobody: it serves all the same, and ends well."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.gateway_process import Gateway, configuration, python_path, until_ready
from tests.e2e.support import eventually
from tests.e2e.test_workers import log_lines
from tests.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

ECHO = {"model_name": "m", "provider": {"type": "echo"}}
LEFT = "import os, sys; reading, writing = os.pipe(); os.close(reading); os.dup2(writing, 1)"
WAYS = {
    "closed": "import os, sys; os.close(1)",
    "full": "import os, sys; os.dup2(os.open('/dev/full', os.O_WRONLY), 1)",
    "reader left": LEFT,
}
BECOME = "; os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"


def started(way: str, folder: Path, workers: int) -> Gateway:
    path, log, port = folder / "gateway.yaml", folder / "gateway.log", free_port()
    path.write_text(json.dumps(configuration([ECHO], server={"workers": workers})), encoding="utf-8")
    environment = os.environ | {"MOONGATE_MASTER_KEY": "sk-test-0123456789", "PYTHONPATH": python_path()}
    command = ["-m", "tests.e2e.several_workers", "serve", "--config", str(path), "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", WAYS[way] + BECOME, *command, "--data-dir", str(folder / "data")],
            cwd=folder,
            env=environment,
            stderr=output,
        )
    return Gateway(port, "sk-test-0123456789", process, log)


@pytest.mark.parametrize(("way", "workers"), [("closed", 1), ("full", 1), ("reader left", 1), ("reader left", 2)])
async def test_start_that_can_not_be_announced_serves_and_ends_well(way: str, workers: int, tmp_path: Path) -> None:
    gateway = started(way, tmp_path, workers)
    try:
        await until_ready(gateway)
        await eventually(lambda: len(log_lines(gateway, "Running on")) == workers, within_s=15, what="all serve")
        gateway.terminate()
        assert await gateway.exited() == 0
        assert "Traceback" not in gateway.log.read_text(encoding="utf-8")
    finally:
        if gateway.process.poll() is None:
            gateway.process.kill()
            gateway.process.wait()
