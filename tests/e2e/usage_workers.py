"""Real `moongate worker` processes between a Valkey and a Postgres of their own."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import asyncpg  # type: ignore[import-untyped]

from adapters.outbound.redis.connection import connect
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.lua_scripts import all_scripts
from adapters.outbound.redis.store_breaker import StoreBreaker
from adapters.outbound.redis.usage_stream import RedisUsageStream
from adapters.outbound.sql.connection import open_engine
from adapters.outbound.sql.limits import Limits
from adapters.outbound.sql.schema import upgrade
from adapters.outbound.system.clock import SystemClock
from adapters.testing.ledger_contract import used
from domain.usage_stream import UsageDepth
from tests.e2e.gateway_process import python_path
from tests.e2e.support import eventually
from tests.servers.fixtures import PATIENT
from tests.servers.postgres_servers import PostgresServer
from tests.servers.usage_aging import age_pending

_APPENDED_AT_ONCE = 500
_LOOK_EVERY_S = 0.05


@dataclass
class UsageWorkers:
    """The stores, what is in them, and the workers between them."""

    redis_url: str
    postgres: PostgresServer
    prefix: str
    folder: Path
    executor: RedisExecutor
    stream: RedisUsageStream
    running: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    _asking: Any = None

    async def start(self) -> "subprocess.Popen[bytes]":
        """A worker that drains."""
        document = {"mode": "full", "redis": {"url": self.redis_url, "prefix": self.prefix, "command_timeout": "2s"}}
        path, log = self.folder / "gateway.yaml", self.folder / f"worker-{len(self.running)}.log"
        path.write_text(json.dumps(document), encoding="utf-8")
        environment = os.environ | {"DATABASE_URL": self.postgres.url, "PYTHONPATH": python_path()}
        command = [sys.executable, "-m", "bootstrap", "worker", "--config", str(path)]
        with log.open("wb") as output:
            process = _started(command, self.folder, environment, output)
        self.running.append(process)
        await eventually(lambda: b"draining usage" in log.read_bytes(), within_s=20, what="the worker drains")
        return process

    async def append(self, first: int, count: int) -> None:
        """What gateways send: `used(first)` and so on."""
        for start in range(first, first + count, _APPENDED_AT_ONCE):
            records = [used(number) for number in range(start, min(start + _APPENDED_AT_ONCE, first + count))]
            asked = (self.stream.append(record.to_bytes(), record.record_id) for record in records)
            assert all(await asyncio.gather(*asked))

    async def rows(self) -> int:
        """How many the ledger has; -1 where it does not answer."""
        try:
            return await self.ask("SELECT count(*) FROM ledger")
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return -1

    async def ask(self, question: str) -> int:
        """What the database says, on one connection: a new one each time would cost more than what is measured."""
        if self._asking is None or self._asking.is_closed():
            self._asking = await asyncpg.connect(self.postgres.url)
        return int(await self._asking.fetchval(question))

    async def drained(self, count: int, within_s: float) -> None:
        """Returns when the ledger has exactly `count` rows, the stream is empty and sums agree; soon."""

        async def done() -> bool:
            await asyncio.sleep(_LOOK_EVERY_S)
            return await self.rows() == count and await self.stream.depth() == UsageDepth(0, 0, 0)

        await eventually(done, within_s=within_s, what=f"{count} rows")
        assert await self.ask("SELECT sum(cost_nano) FROM ledger") == 1_000 * count
        assert await self.ask("SELECT sum(cost_nano) FROM usage_days") == 1_000 * count
        assert await self.ask("SELECT sum(attempts) FROM usage_days") == count

    async def all_grow_old(self) -> None:
        """What is pending has been so for twenty seconds: nobody waits for that here."""
        await age_pending(self.executor, self.stream, 20_000_000)

    @asynccontextmanager
    async def stuck_inserts(self) -> AsyncIterator[None]:
        """Nobody can write to the ledger; on entry somebody waits for that already."""
        connection = await asyncpg.connect(self.postgres.url)
        try:
            await connection.execute("BEGIN; LOCK TABLE ledger IN ACCESS EXCLUSIVE MODE")
            yield
        finally:
            connection.terminate()  # the server may be gone by now

    async def somebody_waits(self) -> None:
        """Returns when an insert has begun, and hangs."""

        async def waits() -> bool:
            return await self.ask("SELECT count(*) FROM pg_locks WHERE NOT granted") > 0

        await eventually(waits, within_s=10, what="an insert hangs")

    def end(self) -> None:
        """Ends every worker that still runs."""
        if self._asking is not None:
            self._asking.terminate()
        for process in self.running:
            process.kill()
            process.wait()


def _started(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], output: BinaryIO
) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)


async def exited(process: "subprocess.Popen[bytes]", number: signal.Signals) -> int:
    """The status after that signal, soon."""
    process.send_signal(number)
    await eventually(lambda: process.poll() is not None, within_s=15, what="the worker ends")
    return int(process.returncode)


@contextmanager
def own_postgres() -> Iterator[PostgresServer]:
    """One that may be killed, with tables."""
    server = PostgresServer()
    try:
        asyncio.run(_upgraded(server.url))
        yield server
    finally:
        server.close()


async def _upgraded(url: str) -> None:
    engine = open_engine(url, Limits(connections=1))
    try:
        await upgrade(engine)
    finally:
        await engine.dispose()


@asynccontextmanager
async def usage_workers(
    redis_url: str, postgres: PostgresServer, prefix: str, folder: Path
) -> AsyncIterator[UsageWorkers]:
    """No worker yet, an empty stream and an empty ledger."""
    executor = RedisExecutor(connect(redis_url, PATIENT), all_scripts(), PATIENT, StoreBreaker(SystemClock()))
    await executor.load()
    stream = RedisUsageStream(executor, prefix, SystemClock())
    workers = UsageWorkers(redis_url, postgres, prefix, folder, executor, stream)
    connection = await asyncpg.connect(postgres.url)
    await connection.execute("TRUNCATE ledger, usage_days")
    await connection.close()
    try:
        yield workers
    finally:
        workers.end()
        await executor.aclose()
