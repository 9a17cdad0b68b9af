"""Weighted round-robin over four gateways: one sequence of turns, whoever takes the next."""

from collections import Counter
from collections.abc import Sequence

import pytest

from tests.e2e.fleet import Fleet
from tests.e2e.fleet_load import load_on
from tests.e2e.fleet_models import WEIGHTS
from tests.e2e.raw_http import RawReply
from tests.e2e.support import eventually
from tests.e2e.test_distribution import assert_exact

pytestmark = pytest.mark.asyncio(loop_scope="session")

CYCLE = sum(WEIGHTS)


def picks(replies: Sequence[RawReply], header: str = "x-moongate-instance") -> list[str]:
    """Who served; all were served, and none without Redis."""
    assert {(reply.status, reply.headers.get("x-moongate-degraded")) for reply in replies} == {(200, None)}
    return [reply.headers[header] for reply in replies]


async def uneven(fleet: Fleet, model: str, count: int) -> list[RawReply]:
    """`count` requests, of which no gateway gets whole cycles: four that took turns alone would not add up."""
    replies = await fleet.spread(model, count - 3)
    return [*replies, *[await fleet.gateways[0].chat(model) for _ in range(3)]]


def shares(model: str, count: int) -> dict[str, int]:
    return {f"{model}-{place}": count * weight // CYCLE for place, weight in enumerate(WEIGHTS)}


@pytest.mark.parametrize(
    ("model", "header", "picked"), [("turns", "x-moongate-instance", "turns"), ("route", "x-moongate-model", "member")]
)
async def test_audit_10_issue_1_each_turn_follows_the_one_that_another_gateway_took(
    fleet: Fleet, model: str, header: str, picked: str
) -> None:
    replies = [await fleet.chat(model) for _ in range(4 * CYCLE)]

    assert_exact(picks(replies, header), picked, WEIGHTS)


async def test_audit_10_weighted_round_robin_scales_1400_requests_at_once_split_exactly(fleet: Fleet) -> None:
    replies = await uneven(fleet, "crowd", 1400)

    assert Counter(picks(replies)) == shares("crowd", 1400)


async def test_turns_go_on_where_a_killed_gateway_left_them(fleet: Fleet) -> None:
    await fleet.start()
    before = [await fleet.gateways[-1].chat("heirs") for _ in range(3)]

    fleet.kill(-1)

    after = [await fleet.chat("heirs") for _ in range(3 * CYCLE - len(before))]
    assert_exact(picks([*before, *after]), "heirs", WEIGHTS)


async def test_gateway_killed_at_work_leaves_the_others_exact(fleet: Fleet) -> None:
    await fleet.start()
    async with load_on(fleet, "deaths", clients=10) as load:
        await eventually(lambda: len(load.replies) >= 100, within_s=10, what="all are at work")
        fleet.kill(-1)
        seen = len(load.replies)
        await eventually(lambda: len(load.replies) >= seen + 100, within_s=10, what="the others work on")
    picks(load.replies)

    replies = await fleet.spread("deaths", 70 * CYCLE)

    assert Counter(picks(replies)) == shares("deaths", 70 * CYCLE)
