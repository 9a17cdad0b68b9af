"""Four gateways that share a cache, for all modules here."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e import fleet_models as models
from tests.e2e.fleet import Fleet
from tests.e2e.money_fleet import money_fleet, money_servers, priced
from tests.e2e.scripted_upstream import ScriptedUpstream


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def cache_fleet(
    fleet_upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Fleet]:
    """Four gateways that share a cache, and know tenants."""
    shared = [priced(name, fleet_upstream.base_url, output_usd="0.001") for name in models.CACHED]
    with money_servers() as servers:
        async with money_fleet(servers, 4, tmp_path_factory.mktemp("cache"), shared) as running:
            yield running.fleet
