"""The harness for fleets, on gateways that share nothing yet."""

import asyncio
from pathlib import Path

import pytest

from tests.e2e.fleet import running_fleet
from tests.e2e.gateway_process import configuration, instance
from tests.e2e.scripted_upstream import ScriptedUpstream

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_requests_are_spread_evenly_and_a_killed_gateway_is_left_out(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    document = configuration([instance("fleet", upstream.base_url)])
    async with running_fleet(document, 2, tmp_path) as fleet:
        first, second = fleet.gateways

        replies = await fleet.spread("fleet", 21, connections=3)

        assert [reply.status for reply in replies] == [200] * 21
        assert len(upstream.lane("fleet").requests) == 21
        assert (await fleet.control("fleet", "drain")).status == 200
        # They share nothing, so only the one that was told knows.
        assert {str((await fleet.instances(gateway))["fleet"]["drained"]) for gateway in (first, second)} == {
            "True",
            "False",
        }
        assert (await fleet.control("fleet", "drain")).status == 200

        assert fleet.kill() is first

        assert fleet.gateways == [second]
        assert {reply.status for reply in await asyncio.gather(*(fleet.chat("fleet") for _ in range(3)))} == {503}
