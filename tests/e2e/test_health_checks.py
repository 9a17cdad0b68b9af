"""Health checks by four gateways on one Redis: who asks an upstream how often, and what a circuit makes of it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e import raw_http
from tests.e2e.fleet import Fleet, fleet_configuration, running_fleet
from tests.e2e.gateway_process import Gateway, instance
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

INTERVAL_S = 1.0
INTERVALS = 6
BREAKER = {"consecutive_failures": 3, "open_duration": "60s", "probes_to_close": 2}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lists() -> AsyncIterator[ScriptedUpstream]:
    """An upstream of its own: what it is asked for is counted."""
    async with ScriptedUpstream() as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def checking_fleet(
    lists: ScriptedUpstream, fleet_redis: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Fleet]:
    document = fleet_configuration(
        fleet_redis,
        [instance("checked", lists.base_url)],
        router={"health_check_interval": f"{INTERVAL_S}s", "circuit_breaker": BREAKER},
        redis={"prefix": "checked:"},
    )
    async with running_fleet(document, 4, tmp_path_factory.mktemp("checked")) as running:
        yield running


def asked_s(lists: ScriptedUpstream) -> list[float]:
    """When the list of models was asked for."""
    return [request.began_s for request in lists.lane("").requests if request.path.endswith("/models")]


async def shown(fleet: Fleet) -> dict[str, Any]:
    found: dict[str, Any] = (await fleet.instances())["checked"]
    return found


async def state(fleet: Fleet) -> str:
    return str((await shown(fleet))["circuit"]["state"])


async def test_audit_6_2_exactly_one_of_four_gateways_checks_an_instance_in_each_interval(
    checking_fleet: Fleet, lists: ScriptedUpstream
) -> None:
    before = len(asked_s(lists))
    await asyncio.sleep(INTERVALS * INTERVAL_S)

    # The lock lasts from 0.9 to 1.1 intervals. One more may fall in at the edge, and one may arrive late.
    assert INTERVALS // 2 <= len(asked_s(lists)) - before <= INTERVALS / 0.9 + 2
    assert await checking_fleet.each(counted) == [(1, 0, 0)] * 4


async def counted(gateway: Gateway) -> tuple[int, int, int]:
    """What a gateway shows of the checks of the only model."""
    reply = await raw_http.exchange(gateway.port, gateway.get("/admin/v1/models"))
    (model,) = reply.json()["data"]
    return model["checks"]["healthy"], model["checks"]["unhealthy"], model["checks"]["unknown"]


async def test_a_killed_gateway_leaves_its_checks_to_the_others(checking_fleet: Fleet, lists: ScriptedUpstream) -> None:
    while len(checking_fleet.gateways) > 1:
        checking_fleet.kill()
    before = len(asked_s(lists))

    await eventually(lambda: len(asked_s(lists)) >= before + 2, within_s=4 * INTERVAL_S, what="the last one checks")


async def test_audit_6_3_a_recovered_upstream_is_half_opened_by_a_check_and_closed_by_real_successes(
    checking_fleet: Fleet, lists: ScriptedUpstream
) -> None:
    await lists.refuse()
    for _ in range(3):
        await checking_fleet.chat("checked")
    assert await state(checking_fleet) == "open"

    async def found_ill() -> bool:
        check = (await shown(checking_fleet))["last_check"]
        return check is not None and check["ok"] is False

    await eventually(found_ill, within_s=5 * INTERVAL_S, what="a check fails")
    assert await state(checking_fleet) == "open"

    await lists.listen()

    async def half_open() -> bool:
        return await state(checking_fleet) == "half_open"

    # Its open time is a minute: nothing but the check moves it.
    await eventually(half_open, within_s=5 * INTERVAL_S, what="the check half-opens the circuit")
    assert (await shown(checking_fleet))["circuit"]["reason"] == "health_check"
    await asyncio.sleep(2 * INTERVAL_S)
    assert await state(checking_fleet) == "half_open"

    replies = [await checking_fleet.chat("checked") for _ in range(2)]

    assert [reply.status for reply in replies] == [200, 200]

    async def closed() -> bool:
        return await state(checking_fleet) == "closed"

    await eventually(closed, within_s=2, what="two real successes close the circuit")


async def test_an_operator_checks_an_instance_now(checking_fleet: Fleet, lists: ScriptedUpstream) -> None:
    lists_before, completions_before = len(asked_s(lists)), len(lists.lane("checked").requests)

    reply = await checking_fleet.control("checked", "check")

    assert reply.status == 200
    assert (reply.json()["ok"], reply.json()["status"]) == (True, 200)
    assert len(asked_s(lists)) > lists_before
    assert len(lists.lane("checked").requests) == completions_before
