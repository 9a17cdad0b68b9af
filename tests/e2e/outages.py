"""The ways in which Redis goes away and comes back, done to a real server while others use it."""

import asyncio
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import redis

from tests.servers.redis_servers import RedisServer
from tests.servers.tcp_proxy import TcpProxy

DURABLE = ("--appendonly", "yes", "--appendfsync", "no")
"""Options of a server that comes back with all it had: what it has written survives it, as long as the machine does."""

PAUSE_S = 2.0


@dataclass(frozen=True, slots=True)
class Outage:
    """What is done to the server, in a thread: it may block.

    Attributes:
        forgets: The server comes back with nothing.
        lasts_s: Between both.
    """

    name: str
    begin: Callable[[RedisServer], None]
    end: Callable[[RedisServer], None]
    forgets: bool = False
    lasts_s: float = PAUSE_S

    @property
    def noticed(self) -> range:
        """How often a gateway may have noticed it: once, but for one that was over in a moment."""
        return range(1, 2) if self.lasts_s else range(2)

    async def strike(self, server: RedisServer) -> tuple[float, float]:
        """Lets it happen and pass; when it began, and when the server served again."""
        began_s = time.monotonic()
        await asyncio.to_thread(self.begin, server)
        await asyncio.sleep(max(0.0, began_s + self.lasts_s - time.monotonic()))
        ends_s = time.monotonic()
        await asyncio.to_thread(self.end, server)
        # Starting takes as long as it takes, and ends when it is noticed; of a signal the moment is known.
        return began_s, time.monotonic() if self.end in {RedisServer.start, _start_empty} else ends_s


def blackhole(proxy: TcpProxy) -> Outage:
    """Everything is taken and nothing answered; no connection ends."""
    return Outage("blackholed", lambda _: _swallow(proxy, True), lambda _: _swallow(proxy, False))


def _swallow(proxy: TcpProxy, swallows: bool) -> None:
    proxy.swallows = swallows


def _start_empty(server: RedisServer) -> None:
    for folder in Path(server._folder.name).glob("appendonlydir"):
        shutil.rmtree(folder)
    server.start()


def _ask(server: RedisServer, *command: str | int) -> None:
    with redis.Redis(port=server.port) as client:
        client.execute_command(*command)


FROZEN = Outage(
    "frozen",
    lambda server: server.signal(signal.SIGSTOP),
    lambda server: server.signal(signal.SIGCONT),
)
KILLED = Outage("killed", RedisServer.kill, RedisServer.start)
EMPTIED = Outage("emptied", RedisServer.kill, _start_empty, forgets=True)
RESTARTED = Outage("restarted", RedisServer.kill, _start_empty, forgets=True, lasts_s=0)
FULL = Outage(
    "full",
    lambda server: _ask(server, "CONFIG", "SET", "maxmemory", 1),
    lambda server: _ask(server, "CONFIG", "SET", "maxmemory", 0),
)
PAUSED = Outage(
    "paused",
    lambda server: _ask(server, "CLIENT", "PAUSE", round(1_000 * PAUSE_S), "ALL"),
    lambda _: None,
)
