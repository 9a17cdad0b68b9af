"""Two gateways whose Redis is gone: each keeps to its share of what they may do together."""

import time
from pathlib import Path

import pytest

from domain.durations import SECOND_US
from domain.gateways import ANNOUNCE_EVERY_US
from tests.e2e.fleet import fleet_configuration, running_fleet
from tests.e2e.fleet_models import ROUTER, RPM, limited
from tests.e2e.fleet_state import FleetState
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually, until
from tests.servers.redis_servers import standalone, valkey_binary

pytestmark = pytest.mark.asyncio(loop_scope="module")

SIZE = 2


async def test_audit_10_issue_4_limits_do_not_disappear_with_redis(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    with standalone(valkey_binary()) as server:
        document = fleet_configuration(server.url, limited("minute", upstream.base_url), router=ROUTER)
        async with running_fleet(document, SIZE, tmp_path) as fleet:
            state = FleetState(server.url)
            await eventually(lambda: state.gateways() == SIZE, within_s=10, what="both announced themselves")
            # With its next announcement each has heard of the other.
            await until(time.monotonic() + ANNOUNCE_EVERY_US / SECOND_US + 0.5)
            server.kill()

            replies = await fleet.spread("minute", 3 * RPM)

    served = [reply for reply in replies if reply.status == 200]
    assert len(served) == len(upstream.lane("minute").requests) == RPM
    assert {reply.status for reply in replies} == {200, 503}
    assert {reply.headers.get("x-moongate-degraded") for reply in replies} == {"routing"}
