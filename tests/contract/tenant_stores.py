"""Every adapter that the contracts about tenants are for, each seen from two processes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.outbound.memory.admin_store import MemoryAdminStore
from adapters.outbound.memory.audit_log import MemoryAuditLog
from adapters.outbound.memory.deed_log import MemoryDeedLog
from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.memory.tenants import MemoryTenants
from adapters.outbound.sql.admin_store import SqlAdminStore
from adapters.outbound.sql.audit_log import SqlAuditLog
from adapters.outbound.sql.deed_log import SqlDeedLog
from adapters.outbound.sql.keyring import SqlKeyring
from adapters.outbound.sql.schema import upgrade
from adapters.outbound.sql.tables import METADATA
from adapters.testing.tenants_support import Tenants
from adapters.testing.virtual_time import ManualClock
from tests.servers.databases import opened


class InMemory:
    """Both processes are one."""

    @pytest.fixture
    def tenants(self) -> Tenants:
        state, clock = MemoryTenants(), ManualClock()
        return Tenants(
            MemoryAdminStore(state, clock),
            MemoryAuditLog(state),
            MemoryKeyring(state),
            clock,
            MemoryDeedLog(state, clock),
        )

    @pytest.fixture
    def elsewhere(self, tenants: Tenants) -> Tenants:
        return tenants


class OnDatabase:
    """Each process has its own engine."""

    @pytest.fixture
    async def tenants(self, database_url: str) -> AsyncIterator[Tenants]:
        async with tenants_at(database_url) as made:
            yield made

    @pytest.fixture
    async def elsewhere(self, database_url: str) -> AsyncIterator[Tenants]:
        async with tenants_at(database_url) as made:
            yield made


class SqliteDatabase:
    @pytest.fixture
    def database_url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/tenants.db"


class PostgresDatabase:
    @pytest.fixture
    async def database_url(self, tenants_database: str) -> str:
        async with opened(tenants_database) as engine:
            await emptied(engine)
        return tenants_database


class OnSqlite(SqliteDatabase, OnDatabase): ...


class OnPostgres(PostgresDatabase, OnDatabase): ...


@asynccontextmanager
async def tenants_at(url: str) -> AsyncIterator[Tenants]:
    async with opened(url) as engine:
        await upgrade(engine)
        yield tenants_on(engine)


def tenants_on(engine: AsyncEngine) -> Tenants:
    clock = ManualClock()
    deeds = SqlDeedLog(engine, clock)
    return Tenants(SqlAdminStore(engine, clock), SqlAuditLog(engine), SqlKeyring(engine), clock, deeds)


async def emptied(engine: AsyncEngine) -> None:
    """Brings a Postgres database to its tables, with nothing in them but what the migrations put there."""
    await upgrade(engine)
    async with engine.begin() as connection:
        names = ", ".join(name for name in METADATA.tables if name != "counters")
        await connection.execute(text(f"TRUNCATE {names}"))
        await connection.execute(text("UPDATE counters SET value = 0"))
