"""Databases for suites: brought to the present tables, and with nothing in the ledger."""

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
    engine = open_engine(url, PATIENT)
    try:
        await upgrade(engine)
        async with engine.begin() as connection:
            for table in ("ledger", "usage_days"):
                await connection.execute(text(f"DELETE FROM {table}"))
        yield engine
    finally:
        await engine.dispose()
