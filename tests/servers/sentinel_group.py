"""A primary, a replica, and a Sentinel that watches them."""

import contextlib
import subprocess
import time
from pathlib import Path

import redis

from tests.ports import free_port
from tests.servers.redis_servers import standalone, valkey_binary


class SentinelGroup:
    """The servers, ended with the stack."""

    def __init__(self, stack: contextlib.ExitStack, folder: Path) -> None:
        self.primary = stack.enter_context(standalone(valkey_binary()))
        self.replica = stack.enter_context(
            standalone(
                valkey_binary(), "--replicaof", f"127.0.0.1 {self.primary.port}", "--repl-diskless-sync-delay", "0"
            )
        )
        self.port = free_port()
        config = folder / "sentinel.conf"
        config.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {folder}\n"
            f"sentinel monitor main 127.0.0.1 {self.primary.port} 1\n"
            "sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 2000\n"
        )
        process = subprocess.Popen(
            [valkey_binary(), str(config), "--sentinel"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        stack.callback(process.wait)
        stack.callback(process.kill)
        self._wait_until_complete()

    def _wait_until_complete(self) -> None:
        give_up_s = time.monotonic() + 30
        while time.monotonic() < give_up_s:
            with contextlib.suppress(redis.RedisError), redis.Redis(port=self.port, socket_timeout=1) as client:
                state = client.sentinel_master("main")
                with redis.Redis(port=self.replica.port) as replica:
                    linked = replica.info("replication")["master_link_status"] == "up"
                if state["num-slaves"] == 1 and linked:
                    return
            time.sleep(0.05)
        raise RuntimeError("the sentinel does not find its servers")

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis+sentinel://127.0.0.1:{self.port}/main"
