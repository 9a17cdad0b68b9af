"""One scripted upstream, one Postgres and one event loop for each module, which starts its own gateways."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.servers.postgres_servers import PostgresServer, postgres


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    async with ScriptedUpstream() as server:
        yield server


@pytest.fixture(scope="module")
def database() -> Iterator[PostgresServer]:
    with postgres() as server:
        yield server
