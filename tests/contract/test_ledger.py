from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.outbound.memory.ledger import MemoryLedger
from adapters.outbound.sql.connection import open_engine
from adapters.outbound.sql.ledger import SqlLedger
from adapters.outbound.sql.limits import Limits
from adapters.outbound.sql.schema import upgrade
from adapters.testing.ledger_contract import LedgerContract

# Generous: the suites ask what is right, not how fast; a busy machine must not fail them.
PATIENT = Limits(pool_wait_us=20_000_000, connect_us=20_000_000, command_us=20_000_000)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(url, PATIENT)
    try:
        await upgrade(engine)
        yield engine
    finally:
        await engine.dispose()


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    async with opened(f"sqlite:///{tmp_path}/ledger.db") as engine:
        yield engine


@pytest.fixture
async def postgres(postgres_url: str) -> AsyncIterator[AsyncEngine]:
    async with opened(postgres_url) as engine:
        async with engine.begin() as connection:
            await connection.execute(text("TRUNCATE ledger, usage_days"))
        yield engine


class TestMemoryLedger(LedgerContract):
    @pytest.fixture
    def ledger(self) -> MemoryLedger:
        return MemoryLedger()

    @pytest.fixture
    def other_ledger(self, ledger: MemoryLedger) -> MemoryLedger:
        return ledger


class TestSqliteLedger(LedgerContract):
    @pytest.fixture
    def ledger(self, sqlite: AsyncEngine) -> SqlLedger:
        return SqlLedger(sqlite)

    @pytest.fixture
    def other_ledger(self, sqlite: AsyncEngine) -> SqlLedger:
        return SqlLedger(sqlite)


class TestPostgresLedger(LedgerContract):
    @pytest.fixture
    def ledger(self, postgres: AsyncEngine) -> SqlLedger:
        return SqlLedger(postgres)

    @pytest.fixture
    def other_ledger(self, postgres: AsyncEngine) -> SqlLedger:
        return SqlLedger(postgres)
