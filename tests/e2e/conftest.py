"""One scripted upstream and one event loop for each module; the modules start their own gateways.

But four gateways on one Redis take seconds to start, so that the modules that ask them share one fleet.
"""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from openai import AsyncOpenAI

from tests.e2e import fleet_models as models
from tests.e2e.fleet import Fleet, fleet_configuration, running_fleet
from tests.e2e.fleet_state import FleetState
from tests.e2e.gateway_process import Gateway, instance
from tests.e2e.money_fleet import money_fleet, money_servers, priced
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.servers.redis_servers import standalone, valkey_binary

RESTLESS = {"consecutive_failures": 3, "open_duration": "300ms", "max_open_duration": "300ms", "half_open_probes": 1}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    async with ScriptedUpstream() as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(gateway: Gateway) -> AsyncIterator[AsyncOpenAI]:
    async with gateway.client() as made:
        yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def fleet_upstream() -> AsyncIterator[ScriptedUpstream]:
    async with ScriptedUpstream() as server:
        yield server


@pytest.fixture(scope="session")
def fleet_redis() -> Iterator[str]:
    with standalone(valkey_binary()) as server:
        yield server.url


@pytest.fixture(scope="session")
def fleet_state(fleet_redis: str) -> FleetState:
    return FleetState(fleet_redis)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
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


@pytest_asyncio.fixture(scope="session", loop_scope="session")
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


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cache_fleet(
    fleet_upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Fleet]:
    """Four gateways that share a cache, and know tenants."""
    shared = [priced(name, fleet_upstream.base_url, output_usd="0.001") for name in models.CACHED]
    with money_servers() as servers:
        async with money_fleet(servers, 4, tmp_path_factory.mktemp("cache"), shared) as running:
            yield running.fleet
