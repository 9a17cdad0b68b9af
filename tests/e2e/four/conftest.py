"""Four gateways on one Valkey, for all modules here."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e import fleet_models as models
from tests.e2e.fleet import Fleet, fleet_configuration, running_fleet
from tests.e2e.fleet_state import FleetState
from tests.e2e.gateway_process import instance
from tests.e2e.scripted_upstream import ScriptedUpstream


@pytest.fixture(scope="package")
def fleet_state(fleet_redis: str) -> FleetState:
    return FleetState(fleet_redis)


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def fleet(
    fleet_upstream: ScriptedUpstream, fleet_redis: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Fleet]:
    """Four gateways on one Valkey."""
    url = fleet_upstream.base_url
    members = [f"member-{place}" for place in range(len(models.WEIGHTS))]
    document = fleet_configuration(
        fleet_redis,
        [
            *(
                each
                for model in ("turns", "crowd", "throng", "heirs", "deaths")
                for each in models.weighted(model, url)
            ),
            *(instance(member, url) for member in members),
            *(each for model in ("minute", "window") for each in models.limited(model, url)),
            *(each for model in ("slots", "streams", "lost", "held") for each in models.narrow(model, url)),
            *(
                each
                for model in ("outage", "trip", "drained", "forced", "seen", "told", "latest")
                for each in models.paired(model, url)
            ),
        ],
        router=models.ROUTER,
        routes=[models.weighted_route("route", members)],
    )
    async with running_fleet(document, 4, tmp_path_factory.mktemp("fleet")) as running:
        yield running
