"""Fixtures for what runs against real stores. Redis: each test on every server, each with a prefix of its own."""

import functools
import itertools
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from adapters.outbound.redis.connection import Timeouts, connect
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.lua_scripts import all_scripts
from adapters.outbound.redis.store_breaker import StoreBreaker
from adapters.outbound.system.clock import SystemClock
from tests.servers.databases import own_database
from tests.servers.postgres_servers import own_url as own_database_url
from tests.servers.postgres_servers import postgres
from tests.servers.redis_servers import cluster, cluster_url, own_url, redis_binary, standalone, valkey_binary

# Generous: the suites ask what is right, not how fast; a busy machine must not fail them.
PATIENT = Timeouts(command_us=5_000_000, connect_us=5_000_000)

_numbers = itertools.count(1)
scripts = functools.cache(all_scripts)
"""Read once: that takes longer than many a test."""


def _targets() -> list[str]:
    return ["valkey", "valkey-cluster", *(["redis"] if redis_binary() else [])]


@pytest.fixture(scope="session", params=_targets())
def redis_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server of each kind."""
    given = own_url()
    match request.param:
        case "valkey" if given is not None:
            yield given
        case "valkey":
            with standalone(valkey_binary()) as server:
                yield server.url
        case "valkey-cluster":
            with cluster(valkey_binary()) as servers:
                yield cluster_url(servers)
        case _:
            with standalone(str(redis_binary())) as server:
                yield server.url


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A Postgres server."""
    given = own_database_url()
    if given is not None:
        yield given
        return
    with postgres() as server:
        yield server.url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def tenants_database(postgres_url: str) -> AsyncIterator[str]:
    """A database on it, for those who empty it first."""
    async with own_database(postgres_url) as url:
        yield url


@pytest.fixture
def redis_prefix() -> str:
    """Keeps the keys of this test apart from all others."""
    return f"test-{next(_numbers)}:"


@pytest.fixture
async def redis_executor(redis_url: str) -> AsyncIterator[RedisExecutor]:
    """An executor with every script loaded."""
    executor = RedisExecutor(connect(redis_url, PATIENT), scripts(), PATIENT, StoreBreaker(SystemClock()))
    await executor.load()
    try:
        yield executor
    finally:
        await executor.aclose()
