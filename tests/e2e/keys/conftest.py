"""Two gateways on one Valkey and one Postgres, for all who ask them with keys."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.e2e.gateway_process import instance
from tests.e2e.keys.key_fleet import KeyFleet, key_fleet, own_postgres
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.servers.postgres_servers import PostgresServer


@pytest.fixture(scope="package")
def key_postgres() -> Iterator[PostgresServer]:
    with own_postgres() as server:
        yield server


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def keys(
    fleet_upstream: ScriptedUpstream,
    fleet_redis: str,
    key_postgres: PostgresServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[KeyFleet]:
    url = fleet_upstream.base_url
    models = [
        instance("gpt", url, "gpt-eu", tags=["eu"]),
        instance("gpt", url, "gpt-us", tags=["us"]),
        instance("claude", url, "claude-eu", tags=["eu"]),
        instance("mini", url, "mini", tags=["us", "cheap"]),
        instance("slow", url),
    ]
    routes = [{"slug": "smart", "models": [{"model_name": "claude"}, {"model_name": "mini"}]}]
    folder = tmp_path_factory.mktemp("keys")
    async with key_fleet(
        fleet_redis, key_postgres.url, models, folder, routes=routes, redis={"prefix": "keys:"}
    ) as running:
        yield running
