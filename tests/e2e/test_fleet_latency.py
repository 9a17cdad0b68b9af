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
CLIENTS = 16
MOVES_WITHIN_S = 10.0
WATCHED_S = 5
HALF = 0.5
LEAST_SHARE = 0.35  # of the better one in any second; a herd that runs to and fro leaves it seconds with nothing


def share(of: Lane, among: tuple[Lane, Lane], since_s: float, until_s: float = float("inf")) -> float:
    """Of the requests that began between two moments, the part that one lane got."""
    count = {lane.name: sum(since_s <= request.began_s < until_s for request in list(lane.requests)) for lane in among}
    return count[of.name] / max(1, sum(count.values()))


async def until_measured(load: Load, lanes: tuple[Lane, Lane]) -> float:
    """The moment from which both are known."""
    await eventually(lambda: all(len(lane.requests) >= 5 for lane in lanes), within_s=10, what="both were asked")
    answered = len(load.replies) + 20
    await eventually(lambda: len(load.replies) >= answered, within_s=10, what="and have answered")
    return time.monotonic()


async def test_audit_10_issue_3_load_goes_to_the_faster_instance_of_a_model_and_moves_when_that_one_slows_down(
    restless_fleet: Fleet, fleet_upstream: ScriptedUpstream
) -> None:
    first, second = lanes = fleet_upstream.lane("pace-first"), fleet_upstream.lane("pace-second")
    first.default, second.default = FAST, SLOW
    async with load_on(restless_fleet, "pace", CLIENTS, pause_s=0.05) as load:
        known_s = await until_measured(load, lanes)
        answered = len(load.replies) + 300
        await eventually(lambda: len(load.replies) >= answered, within_s=20, what="300 answers")
        assert share(first, lanes, known_s) > HALF

        first.default = SLOWER
        slowed_s = time.monotonic()

        def moved() -> bool:
            now_s = time.monotonic()
            return now_s >= slowed_s + 1 and share(second, lanes, now_s - 1) > HALF

        await eventually(moved, within_s=MOVES_WITHIN_S, what="the load has moved")
        moved_s = time.monotonic()
        await until(moved_s + WATCHED_S)

    by_second = [share(second, lanes, moved_s + n, moved_s + n + 1) for n in range(WATCHED_S)]
    assert share(second, lanes, moved_s) > HALF
    assert min(by_second) > LEAST_SHARE, by_second
    assert share(first, lanes, moved_s) > 0, by_second  # it is asked now and then: it may have recovered
    assert {(reply.status, reply.headers.get("x-moongate-degraded")) for reply in load.replies} == {(200, None)}
