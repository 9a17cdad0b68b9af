"""SIGHUP while a gateway starts: it must not end it, and what changed meanwhile must not be missed."""

import json
import os
import signal
from pathlib import Path

import pytest

from tests.e2e.gateway_process import Gateway, configuration, start_gateway, until_ready
from tests.e2e.support import eventually
from tests.e2e.test_workers import log_lines

pytestmark = pytest.mark.asyncio(loop_scope="module")


def document(*models: str, workers: int) -> dict[str, object]:
    listed = [{"model_name": name, "provider": {"type": "echo"}} for name in models]
    return configuration(listed, server={"workers": workers})


def replace_by_pipe(path: Path) -> None:
    """Whoever reads it waits until somebody writes."""
    pipe = path.with_suffix(".pipe")
    os.mkfifo(pipe)
    pipe.replace(path)


async def opened_for_writing(path: Path) -> int:
    """Its descriptor, as soon as somebody is there to read."""
    found: list[int] = []

    def is_read() -> bool:
        try:
            found.append(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            return False
        return True

    await eventually(is_read, within_s=30, what="the configuration is read")
    return found[0]


async def started_by_pipe(folder: Path) -> tuple[Gateway, int]:
    """A gateway that waits for its configuration, and where that is to be written."""
    gateway = start_gateway({}, folder, module="tests.e2e.several_workers")
    path = folder / "gateway.yaml"
    replace_by_pipe(path)
    return gateway, await opened_for_writing(path)


@pytest.mark.parametrize("workers", [1, 2])
async def test_hangup_during_the_start_is_obeyed_when_it_serves(workers: int, tmp_path: Path) -> None:
    gateway, writing = await started_by_pipe(tmp_path)
    try:
        gateway.process.send_signal(signal.SIGHUP)
        draft = tmp_path / "draft.yaml"
        draft.write_text(json.dumps(document("old", "new", workers=workers)), encoding="utf-8")
        draft.replace(tmp_path / "gateway.yaml")
        os.write(writing, json.dumps(document("old", workers=workers)).encode())
        os.close(writing)

        await until_ready(gateway)
        told = "configuration reloaded; changed: model_list: +new"
        await eventually(lambda: log_lines(gateway, told), within_s=10, what="it has been reloaded")
        gateway.terminate()
        assert await gateway.exited() == 0
    finally:
        if gateway.process.poll() is None:
            gateway.process.kill()
            gateway.process.wait()
