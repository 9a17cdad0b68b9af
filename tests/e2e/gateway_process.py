"""The real gateway as a process: configured by the test, ended by SIGTERM, and held to a clean exit."""

import importlib.util
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]
from openai import AsyncOpenAI

from tests.e2e import raw_http
from tests.e2e.support import eventually
from tests.ports import free_port

# How long a busy machine may take; an idle one takes a second.
START_S = 60.0
# Closing asks for little, but on a busy machine that waits. The default grace of a request is two minutes.
EXIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running gateway and how to reach it."""

    port: int
    key: str
    process: subprocess.Popen[bytes]
    log: Path

    def client(self, *, key: str | None = None, timeout_s: float = 20.0) -> AsyncOpenAI:
        """The official client, which here never retries by itself."""
        base_url = f"http://127.0.0.1:{self.port}/v1"
        return AsyncOpenAI(base_url=base_url, api_key=key or self.key, max_retries=0, timeout=timeout_s)

    def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
        """A POST with the master key."""
        return raw_http.post(path, body, {"authorization": f"Bearer {self.key}"} | dict(headers or {}))

    def get(self, path: str) -> bytes:
        """A GET with the master key."""
        return raw_http.get(path, {"authorization": f"Bearer {self.key}"})

    async def chat(
        self, model: str, *, stream: bool = False, headers: Mapping[str, str] | None = None
    ) -> raw_http.RawReply:
        """One small chat request on a connection of its own."""
        request = self.post("/v1/chat/completions", raw_http.chat(model, stream=stream), headers)
        return await raw_http.exchange(self.port, request)

    def terminate(self) -> None:
        """What an orchestrator sends first."""
        self.process.send_signal(signal.SIGTERM)

    async def exited(self) -> int:
        """The exit status, soon."""
        try:
            await eventually(lambda: self.process.poll() is not None, within_s=EXIT_S, what="the gateway exits")
        except AssertionError as error:
            raise AssertionError(f"{error}:\n{self._stacks()}") from error
        return int(self.process.returncode)

    def _stacks(self) -> str:
        """What it and its workers are at: it ends them."""
        own = psutil.Process(self.process.pid)
        for process in (*own.children(recursive=True), own):
            process.send_signal(signal.SIGABRT)
        self.process.wait()
        return tail(self)


def instance(model: str, base_url: str, lane: str | None = None, **more: object) -> dict[str, object]:
    """An entry of `model_list`: one OpenAI-compatible upstream. Its id is its lane, unless told otherwise."""
    lane = lane or model
    provider = {"type": "custom", "model": lane, "api_key": "upstream-secret", "base_url": base_url}
    return {"model_name": model, "id": lane, "provider": provider, **more}


def configuration(
    model_list: Sequence[Mapping[str, object]], *, router: Mapping[str, object] | None = None, **sections: object
) -> dict[str, object]:
    """A configuration of the gateway; the key comes from the environment.

    Without health checks, unless the test wants some: an upstream whose models fail and whose list of models does not
    would have its circuits half-opened.
    """
    router = {"health_check_interval": "0s", **(router or {})}
    auth = {"master_key": "${MOONGATE_MASTER_KEY:-}"}
    return {"mode": "lite", "auth": auth, "router": router, "model_list": list(model_list), **sections}


@asynccontextmanager
async def running_gateway(
    document: Mapping[str, object], folder: Path, *, module: str = "bootstrap"
) -> AsyncIterator[Gateway]:
    """Start it, wait until it is ready, end it. Its output is in the failure's message where it does not start."""
    gateway = start_gateway(document, folder, module=module)
    try:
        await until_ready(gateway)
        yield gateway
        if gateway.process.poll() is None:
            gateway.terminate()
        status = await gateway.exited()
        assert status == 0, f"exit status {status}:\n{tail(gateway)}"
        assert "Traceback" not in gateway.log.read_text(encoding="utf-8", errors="replace"), tail(gateway)
    finally:
        if gateway.process.poll() is None:
            gateway.process.kill()
            gateway.process.wait()


def python_path() -> str:
    """Where this interpreter finds the product (the checkout's `src`, or the installed wheel) and the tests."""
    found = importlib.util.find_spec("bootstrap")
    assert found is not None and found.origin is not None  # noqa: PT018 - one fact: the product is importable
    return os.pathsep.join([str(Path(found.origin).parents[1]), str(Path(__file__).parents[2])])


def start_gateway(
    document: Mapping[str, object],
    folder: Path,
    *,
    module: str = "bootstrap",
    port: int | None = None,
    key: str | None = None,
) -> Gateway:
    """Start it and wait for nothing; whoever calls this ends it. `module` is the command line to run."""
    path, log, port = folder / "gateway.yaml", folder / "gateway.log", port or free_port()
    path.write_text(json.dumps(document), encoding="utf-8")  # every JSON document is YAML
    key = key or f"sk-test-{secrets.token_hex(16)}"
    command = [sys.executable, "-m", module, "serve", "--config", str(path), "--port", str(port)]
    environment = os.environ | {"MOONGATE_MASTER_KEY": key, "PYTHONPATH": python_path(), "PYTHONFAULTHANDLER": "1"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--data-dir", str(folder / "data")], cwd=folder, env=environment, stdout=output, stderr=output
        )
    return Gateway(port, key, process, log)


async def until_ready(gateway: Gateway, within_s: float = START_S) -> None:
    """Returns when `/ready` says yes; fails with its output where the gateway ends instead."""

    async def ready() -> bool:
        try:
            reply = await raw_http.exchange(gateway.port, raw_http.get("/ready"), within_s=2)
        except (OSError, EOFError):
            return False
        return reply.status == 200

    async def ready_or_gone() -> bool:
        return gateway.process.poll() is not None or await ready()

    await eventually(ready_or_gone, within_s=within_s, what="the gateway is ready")
    assert gateway.process.poll() is None, f"the gateway did not start:\n{tail(gateway)}"


def tail(gateway: Gateway) -> str:
    """The end of its output."""
    return gateway.log.read_text(encoding="utf-8", errors="replace")[-4000:]
