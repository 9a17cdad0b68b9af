"""Databases for tests: one of their own, or one with nothing in the ledger."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.outbound.sql.connection import open_engine
from adapters.outbound.sql.limits import Limits
from adapters.outbound.sql.schema import upgrade

# Generous: the suites ask what is right, not how fast; a busy machine must not fail them.
PATIENT = Limits(pool_wait_us=20_000_000, connect_us=20_000_000, command_us=20_000_000)


@asynccontextmanager
async def empty_ledger(url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on that database."""
    async with opened(url, PATIENT) as engine:
        await upgrade(engine)
        async with engine.begin() as connection:
            for table in ("ledger", "usage_days"):
                await connection.execute(text(f"DELETE FROM {table}"))
        yield engine


@asynccontextmanager
async def own_database(server_url: str) -> AsyncIterator[str]:
    """The address of a database of its own on a Postgres server."""
    name = f"test_{uuid.uuid4().hex}"
    async with opened(server_url) as admin:
        await _alone(admin, f'CREATE DATABASE "{name}"')
        base, question, query = server_url.partition("?")
        try:
            yield f"{base.rpartition('/')[0]}/{name}{question}{query}"
        finally:
            await _alone(admin, f'DROP DATABASE "{name}" WITH (FORCE)')


@asynccontextmanager
async def opened(url: str, limits: Limits | None = None) -> AsyncIterator[AsyncEngine]:
    """An engine, closed at the end."""
    engine = open_engine(url, limits or Limits())
    try:
        yield engine
    finally:
        await engine.dispose()


async def _alone(engine: AsyncEngine, statement: str) -> None:
    """Outside of any transaction."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text(statement))
