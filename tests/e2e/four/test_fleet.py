"""Several processes on one Redis, however they came to be: gateways of their own, or the workers of one."""

import asyncio
from collections import Counter
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from tests.e2e.fleet import Fleet, fleet_configuration, running_fleet
from tests.e2e.fleet_models import ROUTER, WEIGHTS, weighted
from tests.e2e.fleet_state import FleetState
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually
from tests.e2e.test_distribution import assert_exact

pytestmark = pytest.mark.asyncio(loop_scope="session")

WORKERS = 3


def connected_workers(fleet: Fleet, port: int) -> int:
    """How many workers of the only gateway have a connection to that port."""
    workers = psutil.Process(fleet.gateways[0].process.pid).children()
    return sum(any(link.raddr and link.raddr.port == port for link in worker.net_connections()) for worker in workers)


async def test_gateways_of_one_redis_know_of_each_other(fleet: Fleet, fleet_state: FleetState) -> None:
    await eventually(lambda: fleet_state.gateways() == len(fleet.gateways), within_s=10, what="all are counted")


async def test_audit_10_issue_1_workers_of_one_gateway_take_turns_as_one(
    fleet_upstream: ScriptedUpstream, fleet_redis: str, tmp_path: Path
) -> None:
    document = fleet_configuration(
        fleet_redis,
        [each for model in ("shifts", "turns") for each in weighted(model, fleet_upstream.base_url)],
        router=ROUTER,
        redis={"prefix": "workers:"},
        server={"workers": WORKERS},
    )
    async with running_fleet(document, 1, tmp_path) as fleet:
        state = FleetState(fleet_redis, "workers:")
        await eventually(lambda: state.gateways() == WORKERS, within_s=15, what="every worker announced itself")

        async def all_serve() -> bool:
            await asyncio.gather(*(fleet.chat("shifts") for _ in range(7)))
            return connected_workers(fleet, fleet_upstream.port) == WORKERS

        await eventually(all_serve, within_s=15, what="every worker has asked the upstream")
        replies = await fleet.spread("shifts", 350, connections=12)
        # Each on a new connection, so that the kernel deals them out to the workers.
        turns = [(await fleet.chat("turns")).headers["x-moongate-instance"] for _ in range(4 * sum(WEIGHTS))]

    assert Counter(reply.headers["x-moongate-instance"] for reply in replies) == {
        "shifts-0": 250,
        "shifts-1": 50,
        "shifts-2": 50,
    }
    assert_exact(turns, "turns", WEIGHTS)
