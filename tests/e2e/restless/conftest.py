"""Four gateways that go by latency, for all modules here."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e import fleet_models as models
from tests.e2e.fleet import Fleet, fleet_configuration, running_fleet
from tests.e2e.gateway_process import instance
from tests.e2e.scripted_upstream import ScriptedUpstream

RESTLESS = {"consecutive_failures": 3, "open_duration": "300ms", "max_open_duration": "300ms", "half_open_probes": 1}


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def restless_fleet(
    fleet_upstream: ScriptedUpstream, fleet_redis: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Fleet]:
    """Four gateways that go by latency and try again soon what failed."""
    url = fleet_upstream.base_url
    document = fleet_configuration(
        fleet_redis,
        [*models.paired("pace", url), *models.paired("herd", url), instance("probed", url)],
        router={"routing_strategy": "least-latency", "circuit_breaker": RESTLESS},
        redis={"prefix": "restless:"},
    )
    async with running_fleet(document, 4, tmp_path_factory.mktemp("restless")) as running:
        yield running
