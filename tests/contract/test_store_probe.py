from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from adapters.outbound.redis.connection import Timeouts, connect
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.store_breaker import StoreBreaker
from adapters.outbound.sql.connection import SqlDatabase
from adapters.outbound.system.clock import SystemClock
from adapters.testing.store_probe_contract import StoreProbeContract


class TestSqlDatabaseOnPostgres(StoreProbeContract):
    @pytest.fixture
    async def answering(self, postgres_url: str) -> AsyncIterator[SqlDatabase]:
        async with aclosing(SqlDatabase(postgres_url)) as database:
            yield database

    @pytest.fixture(params=["postgresql://127.0.0.1:1/none", "postgresql:///none?host=/nowhere"])
    async def absent(self, request: pytest.FixtureRequest) -> AsyncIterator[SqlDatabase]:
        async with aclosing(SqlDatabase(request.param)) as database:
            yield database


class TestSqlDatabaseOnSqlite(StoreProbeContract):
    @pytest.fixture
    async def answering(self, tmp_path: Path) -> AsyncIterator[SqlDatabase]:
        async with aclosing(SqlDatabase(f"sqlite:///{tmp_path}/gateway.db")) as database:
            yield database

    @pytest.fixture
    async def absent(self, tmp_path: Path) -> AsyncIterator[SqlDatabase]:
        async with aclosing(SqlDatabase(f"sqlite:///{tmp_path}/no/such/folder/gateway.db")) as database:
            yield database


class TestRedisExecutor(StoreProbeContract):
    @pytest.fixture
    def answering(self, redis_executor: RedisExecutor) -> RedisExecutor:
        return redis_executor

    @pytest.fixture
    async def absent(self) -> AsyncIterator[RedisExecutor]:
        client = connect("redis://127.0.0.1:1/0", Timeouts())
        async with aclosing(RedisExecutor(client, {}, Timeouts(), StoreBreaker(SystemClock()))) as executor:
            yield executor
