"""A budget that has room for one request, in lite mode: memory and SQLite."""

from pathlib import Path

from tests.e2e.gateway_process import configuration, running_gateway
from tests.e2e.money_for_one import OWNERS, check_budget_for_one, greedy_model
from tests.e2e.scripted_upstream import ScriptedUpstream


async def test_one_gateway_serves_one_of_fifty_requests_that_a_budget_has_room_for(tmp_path: Path) -> None:
    async with (
        ScriptedUpstream() as upstream,
        running_gateway(configuration([greedy_model(upstream.base_url)]), tmp_path) as gateway,
    ):
        for owner in OWNERS:
            await check_budget_for_one([gateway], upstream, owner)
