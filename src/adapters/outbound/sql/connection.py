"""Engines for the databases: a SQLite file or Postgres.

    sqlite:///relative/path.db      sqlite:////absolute/path.db
    postgresql://user:password@host:5432/name?sslmode=require      (postgres:// too)
    postgresql:///name?host=/folder/of/the/socket&user=me

A Postgres URL goes to the driver as it is, which reads it as libpq does.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from adapters.outbound.sql.limits import Limits
from application.ports.store_probe import StoreProbe

_SQLITE_DRIVER = "sqlite+aiosqlite"
_POSTGRES = ("postgresql", "postgres")
_US_PER_SECOND = 1_000_000

_log = logging.getLogger("moongate.store")


def open_engine(url: str, limits: Limits) -> AsyncEngine:
    """An engine for `url`; it opens connections when it needs them, and at most as many as `limits` says.

    Raises:
        ValueError: The URL is none of the forms above. The message does not repeat it: it may hold a password.
    """
    scheme, found, _ = url.partition("://")
    if scheme in _POSTGRES and found:
        return _postgres(url, limits)
    if scheme == "sqlite" and found:
        return _sqlite(url, limits)
    raise ValueError("expected a database URL that begins with postgresql:// or sqlite:///")


def _postgres(url: str, limits: Limits) -> AsyncEngine:
    async def connect() -> Any:
        return await asyncpg.connect(
            url,
            timeout=limits.connect_us / _US_PER_SECOND,
            command_timeout=limits.command_us / _US_PER_SECOND,
            server_settings={"application_name": "moongate", "timezone": "UTC"},
        )

    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_size=limits.connections,
        max_overflow=0,
        pool_timeout=limits.pool_wait_us / _US_PER_SECOND,
        # A connection that died while it lay idle costs a round trip here, and not somebody's request.
        pool_pre_ping=True,
    )


def _sqlite(url: str, limits: Limits) -> AsyncEngine:
    try:
        engine = create_async_engine(make_url(url).set(drivername=_SQLITE_DRIVER))
    except ArgumentError:
        # Without its cause, which repeats the URL.
        raise ValueError("expected a database URL such as sqlite:///moongate.db") from None
    busy_ms = limits.command_us // 1_000

    def prepare(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        # Readers and the one writer do not wait for each other; writers wait for each other, and not for ever.
        for pragma in (f"busy_timeout = {busy_ms}", "synchronous = NORMAL", "foreign_keys = ON"):
            cursor.execute(f"PRAGMA {pragma}")
        # Another one may be making a new file a WAL file just now, for which SQLite does not wait. It is one for all.
        with suppress(sqlite3.OperationalError):
            cursor.execute("PRAGMA journal_mode = WAL")
        cursor.close()

    event.listen(engine.sync_engine, "do_connect", _open_once)
    event.listen(engine.sync_engine, "connect", prepare)
    return engine


def _open_once(_dialect: object, _record: object, arguments: Sequence[Any], options: Mapping[str, Any]) -> None:
    """Fails here where the file can't be opened: the driver's own failure leaves a thread that outlives the loop."""
    sqlite3.connect(*arguments, **options).close()


@dataclass(frozen=True, slots=True)
class PoolState:
    """How the connections stand. `size`: as many may be open; `waiting`: who waits for one."""

    size: int = 0
    in_use: int = 0
    idle: int = 0
    waiting: int = 0


class SqlDatabase:
    """The database of one process: its engine, and whether it answers. Each change of that is one line in the log."""

    def __init__(self, url: str, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._answered = True
        self._unanswered: set[asyncio.Future[str | None]] = set()
        self.engine = open_engine(url, self._limits)
        self.is_remote = self.engine.dialect.name != "sqlite"
        # Of its own: where all connections are busy the database is not down.
        self._asking = open_engine(url, replace(self._limits, connections=1))

    async def ping(self) -> bool:
        reason = await self._silence()
        if self._answered and reason is not None:
            _log.error("database is unavailable (%s)", reason)
        elif not self._answered and reason is None:
            _log.warning("database is back")
        self._answered = reason is None
        return self._answered

    def pool_state(self) -> PoolState:
        """How the connections that requests use stand."""
        pool = self.engine.pool
        if not isinstance(pool, QueuePool):
            return PoolState()
        queue: Any = pool._pool  # noqa: SLF001 - nobody else knows who waits
        waiting = len(getattr(getattr(queue, "_queue", None), "_getters", ()))
        size = pool.size() + max(0, pool._max_overflow)  # noqa: SLF001 - as above
        return PoolState(size, pool.checkedout(), pool.checkedin(), waiting)

    async def aclose(self) -> None:
        """Closes every connection."""
        await self.engine.dispose()
        await self._asking.dispose()

    async def _silence(self) -> str | None:
        """Why it does not answer; None where it does."""
        asking = asyncio.ensure_future(self._ask())
        self._unanswered.add(asking)
        asking.add_done_callback(self._unanswered.discard)
        try:
            done, _ = await asyncio.wait({asking}, timeout=self._limits.ping_us / _US_PER_SECOND)
        finally:
            # Not awaited: giving up a connection to a server that hangs takes the driver seconds.
            asking.cancel()
        return asking.result() if done else "no answer in time"

    async def _ask(self) -> str | None:
        try:
            async with self._asking.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            return type(error).__name__
        return None


_conforms: type[StoreProbe] = SqlDatabase
