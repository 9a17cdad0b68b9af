"""What four gateways on Valkey are held to, in short, on a Cluster of three and on Redis itself."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.e2e import fleet_models as models
from tests.e2e.behaviour import Behaviour
from tests.e2e.fleet import Fleet, fleet_configuration, running_fleet
from tests.e2e.fleet_load import load_on
from tests.e2e.fleet_models import MAX_PARALLEL, RPM
from tests.e2e.fleet_state import FleetState
from tests.e2e.gateway_process import instance
from tests.e2e.probing import peak_of_probes
from tests.e2e.scripted_upstream import ScriptedUpstream, peak_overlap
from tests.e2e.support import eventually
from tests.e2e.test_distribution import assert_exact
from tests.servers.redis_servers import cluster, cluster_url, redis_binary, standalone, valkey_binary

pytestmark = pytest.mark.asyncio(loop_scope="session")

SIZE = 2
PROBES = 2
BREAKER = {
    "consecutive_failures": 3,
    "open_duration": "300ms",
    "max_open_duration": "300ms",
    "half_open_probes": PROBES,
}


@pytest.fixture(scope="module", params=["valkey-cluster", *(["redis"] if redis_binary() else [])])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "redis":
        with standalone(str(redis_binary())) as server:
            yield server.url
        return
    with cluster(valkey_binary()) as servers:
        yield cluster_url(servers)


@pytest.fixture(scope="module")
def state(url: str) -> FleetState:
    return FleetState(url)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    async with ScriptedUpstream() as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def fleet(url: str, upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fleet]:
    at = upstream.base_url
    document = fleet_configuration(
        url,
        [
            *models.weighted("turns", at),
            *models.limited("minute", at),
            *models.narrow("slots", at),
            instance("probed", at),
        ],
        router={**models.ROUTER, "circuit_breaker": BREAKER},
    )
    async with running_fleet(document, SIZE, tmp_path_factory.mktemp("topology")) as running:
        upstream.lanes.clear()
        yield running


async def test_turns_are_one_sequence(fleet: Fleet) -> None:
    turns = [(await fleet.chat("turns")).headers["x-moongate-instance"] for _ in range(4 * sum(models.WEIGHTS))]

    assert_exact(turns, "turns", models.WEIGHTS)


async def test_exactly_100_requests_a_minute_are_admitted(fleet: Fleet, upstream: ScriptedUpstream) -> None:
    replies = await fleet.spread("minute", 2 * RPM)

    assert Counter(reply.status for reply in replies) == {200: RPM, 503: RPM}
    assert len(upstream.lane("minute").requests) == RPM


async def test_five_requests_run_at_once_and_no_more(
    fleet: Fleet, upstream: ScriptedUpstream, state: FleetState
) -> None:
    lane = upstream.lane("slots")
    lane.default = Behaviour(delay_s=0.1)

    async with load_on(fleet, "slots", 4 * MAX_PARALLEL, pause_s=0.05):
        await eventually(lambda: len(lane.requests) >= 6 * MAX_PARALLEL, within_s=15, what="six times all slots")

    assert peak_overlap(lane.requests) == MAX_PARALLEL
    await eventually(lambda: not state.leases("slots"), within_s=5, what="every slot came back")


async def test_two_probes_at_a_time_reach_an_ailing_instance_where_two_may(
    fleet: Fleet, upstream: ScriptedUpstream, state: FleetState
) -> None:
    assert await peak_of_probes(fleet, "probed", upstream.lane("probed"), state, at_once=PROBES) == PROBES
