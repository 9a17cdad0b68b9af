import gc
import os
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bootstrap.cli import cli
from bootstrap.consumer_name import consumer_name


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*os.environ]:
        if name.startswith("MOONGATE_") or name in {"REDIS_URL", "DATABASE_URL"}:
            monkeypatch.delenv(name)


def worker(**environ: str) -> Result:
    try:
        return CliRunner().invoke(cli, ["worker"], env=environ)
    finally:
        gc.unfreeze()


def test_a_worker_in_lite_mode_says_that_there_is_nothing_to_drain() -> None:
    said = worker()

    assert said.exit_code == 2
    assert said.stderr == (
        "worker: nothing to drain (lite mode, neither redis.url nor the URL of a Postgres database is set): "
        "a lite gateway writes its usage itself\n"
    )


def test_a_worker_that_lacks_a_store_says_which_two_it_needs(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text("{mode: full, state: redis}", encoding="utf-8")

    said = worker(MOONGATE_CONFIG=str(path), REDIS_URL="redis://127.0.0.1:1")

    assert said.exit_code == 2
    assert said.stderr == (
        "worker: expected redis.url and the URL of a Postgres database: usage is drained from the one into the other\n"
    )


def test_a_consumer_is_called_by_its_host_and_process() -> None:
    assert consumer_name("worker") == f"worker-{socket.gethostname()}-{os.getpid()}"
