"""One gateway after another on the same data directory and the same stores, each killed by the next test."""

import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from adapters.outbound.redis.budget import RedisBudgets
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.usage_stream import RedisUsageStream
from domain.budget.charge import AccountId
from domain.usage_stream import UsageDepth
from tests.e2e import raw_http
from tests.e2e.gateway_process import Gateway, python_path, start_gateway, tail, until_ready
from tests.e2e.keys.crash_steps import Step
from tests.e2e.keys.key_fleet import CHAT, Key, admin, rows
from tests.e2e.scripted_upstream import Lane
from tests.e2e.support import eventually
from tests.servers.postgres_servers import PostgresServer
from tests.servers.usage_aging import age_pending

CRASHING = "tests.e2e.keys.crashing_gateway"
DIES_WITHIN_S = 30
USED = {"input_tokens": 11, "output_tokens": 4}
_STALE_US = 20_000_000
_LEDGER = "SELECT request_id, attempt, client_request_id, outcome, estimated, input_tokens, output_tokens FROM ledger"
_TOKENS = (
    "coalesce(sum(cost_nano), 0)::bigint AS cost, coalesce(sum(input_tokens + output_tokens), 0)::bigint AS tokens"
)
_SUMS = f"SELECT count(*) AS attempts, {_TOKENS} FROM ledger"
_DAYS = f"SELECT coalesce(sum(attempts), 0)::bigint AS attempts, {_TOKENS} FROM usage_days"


@dataclass
class CrashWorld:
    """The stores, the gateway that runs now, and what its clients have been told."""

    document: Mapping[str, object]
    folder: Path
    step_file: Path
    lane: Lane
    postgres: PostgresServer
    executor: RedisExecutor
    prefix: str
    gateway: Gateway | None = None
    key: Key = field(default_factory=lambda: Key("", ""))
    team_id: str = ""
    answered: set[str] = field(default_factory=set)
    _module: str = CRASHING
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        # Nobody reads a clock here: time is the servers'.
        self.stream = RedisUsageStream(self.executor, self.prefix, None)  # type: ignore[arg-type]
        self.budgets = RedisBudgets(self.executor, self.prefix)

    @property
    def running(self) -> Gateway:
        """The one that runs."""
        assert self.gateway is not None
        return self.gateway

    @property
    def journals(self) -> list[Path]:
        """Files of the usage journal, the newest last."""
        return sorted((self.folder / "data" / "usage").glob("*.journal"), key=lambda path: path.stat().st_mtime_ns)

    async def start(self, module: str = CRASHING) -> Gateway:
        """A gateway where the one before was killed."""
        self.step_file.write_text("")
        await age_pending(self.executor, self.stream, _STALE_US)
        self._module = module
        self.gateway = start_gateway(self.document, self.folder, module=module, key="sk-crashes")
        await until_ready(self.gateway)
        return self.gateway

    async def make_key(self) -> None:
        """A key in a team, both under hard budgets that are far away."""
        budget = {"amount_usd": "1000", "period": "total"}
        made = await admin(self.running, "POST", "/teams", {"name": "t", "budget": budget})
        self.team_id = made.json()["id"]
        made = await admin(self.running, "POST", "/keys", {"name": "k", "team_id": self.team_id, "budget": budget})
        self.key = Key(made.json()["id"], made.json()["key"])

    async def ask(self, *, stream: bool = False) -> str | None:
        """One request; its client's name for it where it was answered whole."""
        name = f"c-{next(self._numbers)}"
        body = json.loads(raw_http.chat("m", stream=stream, max_tokens=50)) | {"messages": [_said(name)]}
        headers = {"authorization": f"Bearer {self.key.secret}", "x-request-id": name}
        request = raw_http.post(CHAT, json.dumps(body).encode(), headers)
        try:
            reply = await raw_http.exchange(self.running.port, request)
        except (OSError, EOFError):
            return None
        assert reply.status == 200, reply.body
        if not reply.complete:
            return None
        self.answered.add(name)
        return name

    async def load_until_dead(self, clients: int = 4) -> None:
        """Clients ask until nobody is there any more."""

        async def ask_on(number: int) -> None:
            for turn in itertools.count(number):
                if await self.ask(stream=turn % 2 == 1) is None:
                    return
                await asyncio.sleep(0.02)

        async with asyncio.timeout(DIES_WITHIN_S):
            await asyncio.gather(*(ask_on(number) for number in range(clients)))

    async def load_of(self, count: int, clients: int = 4) -> None:
        """So many requests, each of which is answered."""
        for start in range(0, count, clients):
            names = await asyncio.gather(
                *(self.ask(stream=number % 2 == 1) for number in range(start, start + clients))
            )
            assert None not in names
            await asyncio.sleep(0.02)

    async def worker_dies(self, step: Step) -> None:
        """A worker takes what others left, gets to that step, and is dead."""
        self.step_file.write_text(step)
        async with self.worker(CRASHING) as worker:
            await eventually(lambda: worker.poll() is not None, within_s=15, what=f"the worker dies {step}")
            assert worker.wait() == -signal.SIGKILL, (self.folder / "worker.log").read_text()

    @asynccontextmanager
    async def worker(self, module: str = "bootstrap") -> "AsyncIterator[subprocess.Popen[bytes]]":
        """A process that takes what others left, killed in the end."""
        await age_pending(self.executor, self.stream, _STALE_US)
        environment = os.environ | {"MOONGATE_MASTER_KEY": self.running.key, "PYTHONPATH": python_path()}
        command = [sys.executable, "-m", module, "worker", "--config", str(self.folder / "gateway.yaml")]
        process = _started(command, self.folder, environment)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    async def stop(self) -> None:
        """Ends the gateway as an orchestrator does."""
        self.running.terminate()
        assert await self.running.exited() == 0, tail(self.running)

    async def dies(self, step: Step, clients: int = 4) -> None:
        """The gateway gets to that step under load, and is dead."""
        if self._module != CRASHING:
            await self.stop()
            await self.start()
        self.step_file.write_text(step)
        await self.load_until_dead(clients)
        self.killed()

    def killed(self) -> None:
        """It was killed, and nothing else."""
        assert self.running.process.wait(10) == -signal.SIGKILL, tail(self.running)

    def kill(self) -> None:
        """kill -9 from outside."""
        self.running.process.kill()
        self.killed()

    async def all_is_told(self, within_s: float = 20) -> None:
        """Returns when nothing is on its way any more: stream, journal, and reservations of attempts in the ledger."""

        async def quiet() -> bool:
            await asyncio.sleep(0.05)
            return (
                await self.stream.depth() == UsageDepth(0, 0, 0)
                and [path.stat().st_size for path in self.journals] == [0]
                and not await self._known_but_reserved()
            )

        await eventually(quiet, within_s=within_s, what="all usage is in the ledger")

    async def check(self) -> Counter[str]:
        """Holds the ledger to what reached the upstream, and all else to the ledger; the outcomes of all rows."""
        asked = Counter(str(request.body["messages"][0]["content"]) for request in self.lane.requests)  # type: ignore[index]
        ledger = await rows(self.postgres.url, _LEDGER)
        by_name = Counter(str(row["client_request_id"]) for row in ledger)
        assert set(asked.values()) <= {1}
        assert set(by_name.values()) <= {1}
        assert set(asked) <= set(by_name)
        for row in ledger:
            if row["client_request_id"] in self.answered:
                assert (row["outcome"], row["estimated"]) == ("success", False), row
                assert {name: row[name] for name in USED} == USED
            elif row["outcome"] == "unknown":
                assert row["estimated"]
            if row["client_request_id"] not in asked:
                assert row["outcome"] == "unknown"
        await self._check_sums()
        return Counter(str(row["outcome"]) for row in ledger)

    async def _check_sums(self) -> None:
        (sums,) = await rows(self.postgres.url, _SUMS)
        (days,) = await rows(self.postgres.url, _DAYS)
        assert sums == days
        for path in (f"/keys/{self.key.id}", f"/teams/{self.team_id}"):
            budget = (await admin(self.running, "GET", path)).json()["budget"]
            assert int(Decimal(budget["spent_usd"]) * 10**9) == sums["cost"]

    async def _known_but_reserved(self) -> set[str]:
        found = await self.budgets.open_attempts(AccountId(f"team:{self.team_id}"))
        ledger = {f"{row['request_id']}:{row['attempt']}" for row in await rows(self.postgres.url, _LEDGER)}
        return {str(attempt) for attempt in found} & ledger


def _started(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    with (folder / "worker.log").open("wb") as log:
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)


def _said(name: str) -> dict[str, Any]:
    return {"role": "user", "content": name}
