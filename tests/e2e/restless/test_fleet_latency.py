"""Least-latency over four gateways: two instances of one model are told apart, and the load follows the faster one."""

import time

import pytest

from tests.e2e.behaviour import Behaviour
from tests.e2e.fleet import Fleet
from tests.e2e.fleet_load import Load, load_on
from tests.e2e.scripted_upstream import Lane, ScriptedUpstream
from tests.e2e.support import eventually, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

FAST, SLOW, SLOWER = Behaviour(delay_s=0.02), Behaviour(delay_s=0.12), Behaviour(delay_s=0.4)
MOVES_WITHIN_S = 10.0
WATCHED_S = 5
PAUSE_S = 0.05

# One client for each gateway: nobody can go by what it has running itself, only by what was measured by all.
FEW, MOST, SPAN_S = 4, 0.7, 2.0
# Eight for each: all of them at once on one instance is what must not happen.
MANY, LEAST, GREATEST = 32, 0.35, 0.99


def share(of: Lane, among: tuple[Lane, Lane], since_s: float, until_s: float = float("inf")) -> float:
    """Of the requests that began between two moments, the part that one lane got."""
    count = {lane.name: sum(since_s <= request.began_s < until_s for request in list(lane.requests)) for lane in among}
    return count[of.name] / max(1, sum(count.values()))


async def answers(load: Load, more: int) -> None:
    wanted = len(load.replies) + more
    await eventually(lambda: len(load.replies) >= wanted, within_s=20, what=f"{more} more answers")


async def until_preferred(lane: Lane, lanes: tuple[Lane, Lane]) -> None:
    """Returns when it gets most of the load, by what began from now on."""
    since_s = time.monotonic()

    def preferred() -> bool:
        now_s = time.monotonic()
        return now_s >= since_s + SPAN_S and share(lane, lanes, now_s - SPAN_S) > MOST

    await eventually(preferred, within_s=MOVES_WITHIN_S, what=f"{lane.name} is preferred")


def assert_served(load: Load) -> None:
    """All of them, and none without Redis."""
    assert {(reply.status, reply.headers.get("x-moongate-degraded")) for reply in load.replies} == {(200, None)}


async def test_audit_10_issue_3_two_instances_of_a_model_are_told_apart_and_the_load_leaves_the_one_that_slows_down(
    restless_fleet: Fleet, fleet_upstream: ScriptedUpstream
) -> None:
    first, second = lanes = fleet_upstream.lane("pace-ill"), fleet_upstream.lane("pace-well")
    first.default, second.default = FAST, SLOW
    async with load_on(restless_fleet, "pace", FEW, pause_s=PAUSE_S) as load:
        await until_preferred(first, lanes)
        first.default = SLOWER
        await until_preferred(second, lanes)
    assert_served(load)


async def test_load_does_not_run_to_and_fro_between_two_instances(
    restless_fleet: Fleet, fleet_upstream: ScriptedUpstream
) -> None:
    worse, better = lanes = fleet_upstream.lane("herd-ill"), fleet_upstream.lane("herd-well")
    worse.default, better.default = SLOWER, SLOW
    async with load_on(restless_fleet, "herd", MANY, pause_s=PAUSE_S) as load:
        await answers(load, 4 * MANY)
        began_s = time.monotonic()
        await until(began_s + WATCHED_S)

    by_second = [share(better, lanes, began_s + n, began_s + n + 1) for n in range(WATCHED_S)]
    assert min(by_second) > LEAST, by_second
    assert max(by_second) < GREATEST, by_second
    assert_served(load)
