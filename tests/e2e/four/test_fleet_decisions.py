"""The story of a request that one gateway served, as every other tells it."""

import pytest

from tests.e2e import raw_http
from tests.e2e.fleet import Fleet
from tests.e2e.gateway_process import Gateway
from tests.e2e.support import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def told(gateway: Gateway, path: str) -> raw_http.RawReply:
    return await raw_http.exchange(gateway.port, gateway.get(f"/admin/v1/decisions{path}"))


async def test_decision_made_by_one_gateway_is_found_by_all_and_among_the_latest(fleet: Fleet) -> None:
    served = await fleet.gateways[0].chat("told")
    request_id = served.headers["x-request-id"]

    async def known_by_all() -> bool:
        replies = await fleet.each(lambda gateway: told(gateway, f"/{request_id}"))
        return {reply.status for reply in replies} == {200}

    await eventually(known_by_all, within_s=3, what="every gateway knows the decision")
    here, *elsewhere = [reply.json() for reply in await fleet.each(lambda each: told(each, f"/{request_id}"))]
    assert all(there == here for there in elsewhere)
    assert here["attempts"][0]["instance_id"] == served.headers["x-moongate-instance"]
    assert here["attempts"][0]["admission_us"] > 0
    assert {each["instance_id"] for each in here["candidates"]} == {"told-ill", "told-well"}
    assert (here["strategy"], here["outcome"]) == ("weighted-round-robin", "success")

    async def listed() -> bool:
        latest = (await told(fleet.gateways[1], "?model=told&outcome=success&limit=5")).json()
        assert latest["of_fleet"] is True
        return here in latest["data"]

    await eventually(listed, within_s=3, what="another gateway lists the decision")


async def test_latest_decisions_are_in_the_order_of_finishing_whenever_their_gateways_tell_of_them(
    fleet: Fleet,
) -> None:
    replies = [await fleet.next().chat("latest") for _ in range(3 * len(fleet.gateways))]
    asked = [reply.headers["x-request-id"] for reply in reversed(replies)]
    listed: list[str] = []

    async def all_listed() -> bool:
        nonlocal listed
        listed = [each["request_id"] for each in (await told(fleet.next(), "?model=latest")).json()["data"]]
        return len(listed) == len(asked)

    await eventually(all_listed, within_s=3, what="all decisions are listed")
    assert listed == asked


async def test_decision_that_nobody_made_is_404_and_says_how_long_they_stay(fleet: Fleet) -> None:
    reply = await told(fleet.gateways[0], "/never-made")

    assert reply.status == 404
    assert "for an hour at most" in reply.json()["error"]["message"]
