from collections.abc import AsyncIterator

import pytest

from adapters.outbound.memory.kept import MemoryKept
from adapters.outbound.sql.kept import SqlKept
from adapters.outbound.sql.schema import upgrade
from adapters.testing.kept_contract import KeptContract
from tests.contract.tenant_stores import PostgresDatabase, SqliteDatabase
from tests.servers.databases import opened


class TestMemoryKept(KeptContract):
    @pytest.fixture
    def kept(self) -> MemoryKept:
        return MemoryKept()

    @pytest.fixture
    def other_kept(self, kept: MemoryKept) -> MemoryKept:
        return kept


class OnDatabase:
    @pytest.fixture
    async def kept(self, database_url: str) -> AsyncIterator[SqlKept]:
        async with opened(database_url) as engine:
            await upgrade(engine)
            yield SqlKept(engine)

    @pytest.fixture
    async def other_kept(self, database_url: str) -> AsyncIterator[SqlKept]:
        async with opened(database_url) as engine:
            yield SqlKept(engine)


class TestSqlKeptOnSqlite(SqliteDatabase, OnDatabase, KeptContract): ...


class TestSqlKeptOnPostgres(PostgresDatabase, OnDatabase, KeptContract): ...
