"""One gateway and one upstream for each wire, for all modules here."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.matrix.stage import Stage, running_stage


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with running_stage(tmp_path_factory.mktemp("matrix")) as running:
        yield running
    astray = [request for upstream in running.upstreams.values() for request in upstream.astray]
    assert not astray, "requests for models that no test asked for"
    assert not running.elsewhere.astray, "a server that is in no configuration was called"
