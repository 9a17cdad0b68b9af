"""The processes under measurement: started, pinned to a core, watched through /proc, always ended."""

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.servers.redis_servers import standalone, valkey_binary

ROOT = Path(__file__).resolve().parent.parent
START_S = 30.0
END_S = 15.0
LANES = '{"bench": {"chunks": 100}, "paced": {"chunks": 100, "chunk_delay_s": 0.004}}'
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cores:
    """Who runs where. With one core everything shares it, and the figures say less."""

    server: int
    load: int

    @property
    def shared(self) -> bool:
        return self.server == self.load


def cores() -> Cores:
    """The first core that this process may use for the server, the last for everything else."""
    usable = sorted(os.sched_getaffinity(0))
    return Cores(usable[0], usable[-1])


@dataclass(frozen=True, slots=True)
class Target:
    """Something that answers chat requests on a port of this machine.

    `caches`: equal ones from stored replies. `translates`: it has a model of another dialect, `translated`.
    """

    name: str
    port: int
    process: subprocess.Popen[bytes]
    key: str = "none"
    caches: bool = False
    translates: bool = False

    def cpu_s(self) -> float:
        """CPU time used so far, all threads, user and system."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def rss_mib(self) -> float:
        """Resident memory now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running(
    command: Sequence[str], core: int, port: int, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process of this interpreter, pinned before it has started a thread, and listening. Ended on the way out."""
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    variables = os.environ | {"PYTHONPATH": paths} | dict(environment or {})
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=variables, stdout=log, stderr=log)
        try:
            os.sched_setaffinity(process.pid, {core})
            _wait_until_listening(process, port, log)
            yield process
        finally:
            _end(process)


def _wait_until_listening(process: subprocess.Popen[bytes], port: int, log: IO[bytes]) -> None:
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    log.seek(0)
    raise SystemExit(f"{process.args!r} did not start:\n{log.read().decode(errors='replace')[-3000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def upstream(core: int) -> Iterator[Target]:
    """The scripted upstream."""
    port = free_port()
    command = ["-m", "tests.e2e.scripted_upstream", "--port", str(port), "--lanes", LANES]
    with running(command, core, port) as process:
        yield Target("direct", port, process)


@contextlib.contextmanager
def anthropic_upstream(core: int) -> Iterator[int]:
    """The upstream that speaks Anthropic's dialect; its port."""
    port = free_port()
    with running(["-m", "bench.anthropic_upstream", "--port", str(port)], core, port):
        yield port


@contextlib.contextmanager
def bare_stack(core: int, upstream_port: int) -> Iterator[Target]:
    """The bare stack in front of the upstream."""
    port = free_port()
    command = ["-m", "bench.bare_stack", "--port", str(port), "--upstream", f"http://127.0.0.1:{upstream_port}/v1"]
    with running(command, core, port) as process:
        yield Target("bare", port, process)


@contextlib.contextmanager
def redis(core: int) -> Iterator[str]:
    """A Valkey for the gateway's shared state; its URL."""
    with standalone(valkey_binary()) as server:
        if server.process is None:
            raise SystemExit("the server did not start")
        os.sched_setaffinity(server.process.pid, {core})
        yield server.url


@contextlib.contextmanager
def gateway(
    core: int,
    upstream_port: int,
    before: Sequence[str] = (),
    redis_url: str | None = None,
    anthropic_port: int | None = None,
) -> Iterator[Target]:
    """The gateway in front of the upstreams. `before`: interpreter arguments, such as a profiler's."""
    port, key = free_port(), f"sk-bench-{secrets.token_hex(16)}"
    environment = {"MOONGATE_MASTER_KEY": key, "BENCH_UPSTREAM_URL": f"http://127.0.0.1:{upstream_port}/v1"}
    environment["BENCH_ANTHROPIC_URL"] = f"http://127.0.0.1:{anthropic_port or upstream_port}"
    if redis_url is not None:
        environment |= {"BENCH_MODE": "full", "BENCH_STATE": "redis", "BENCH_REDIS_URL": redis_url}
    with tempfile.TemporaryDirectory() as data_dir:
        serve = [
            "-m",
            "bootstrap",
            "serve",
            "--config",
            "bench/gateway.yaml",
            "--port",
            str(port),
            "--data-dir",
            data_dir,
        ]
        with running([*before, *serve], core, port, environment) as process:
            name = "gateway" if redis_url is None else "gateway on Redis"
            yield Target(name, port, process, key, caches=True, translates=anthropic_port is not None)
