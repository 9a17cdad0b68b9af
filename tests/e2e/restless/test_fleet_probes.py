"""Half-open circuits over four gateways: a probe is one for all of them."""

import pytest

from tests.e2e.behaviour import OK
from tests.e2e.fleet import Fleet
from tests.e2e.fleet_state import FleetState
from tests.e2e.probing import peak_of_probes
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_audit_10_issue_2_one_probe_at_a_time_reaches_an_ailing_instance_and_heals_it_for_all(
    restless_fleet: Fleet, fleet_upstream: ScriptedUpstream, fleet_redis: str
) -> None:
    lane, state = fleet_upstream.lane("probed"), FleetState(fleet_redis, "restless:")

    assert await peak_of_probes(restless_fleet, "probed", lane, state, at_once=1) == 1

    lane.default = OK

    async def healed() -> bool:
        await restless_fleet.chat("probed")
        return state.circuit("probed")["state"] == "closed"

    await eventually(healed, within_s=10, what="a probe succeeds")
    replies = await restless_fleet.each(lambda gateway: gateway.chat("probed"))
    assert {reply.status for reply in replies} == {200}
