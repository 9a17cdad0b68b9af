"""Fifty requests at once against a budget that has room for one; and one client id that is used again and again."""

import asyncio
import itertools
import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.e2e import raw_http
from tests.e2e.behaviour import Behaviour
from tests.e2e.gateway_process import Gateway, configuration, running_gateway
from tests.e2e.money_books import read_books
from tests.e2e.money_fleet import MoneyFleet, money_fleet, money_servers, priced
from tests.e2e.money_tenants import Key, admin, budget, make_key, make_member, make_team, standings
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT_ONCE = 50
AGAIN = 100
TOKENS = 60
# It writes all that it may: 0.6 of a dollar, so that one dollar is never enough for two.
GREEDY = Behaviour(delay_s=0.2, chunks=TOKENS)
OWNERS = ("key", "member", "team")
_numbers = itertools.count(1)


@asynccontextmanager
async def one_gateway(upstream: ScriptedUpstream, folder: Path) -> AsyncIterator[list[Gateway]]:
    models = [priced("greedy", upstream.base_url, output_usd="0.01")]
    async with running_gateway(configuration(models), folder) as gateway:
        yield [gateway]


@asynccontextmanager
async def four_gateways(upstream: ScriptedUpstream, folder: Path) -> AsyncIterator[MoneyFleet]:
    models = [priced("greedy", upstream.base_url, output_usd="0.01")]
    with money_servers() as servers:
        async with money_fleet(servers, 4, folder, models) as money:
            yield money


async def caller_with_one_budget(gateway: Gateway, owner: str) -> tuple[Key, str]:
    """A key whose requests count against one budget of a dollar a month: its own, its member's or its team's."""
    name, dollar = f"n{next(_numbers)}", budget("1", period="monthly")
    its = {each: dollar if each == owner else None for each in OWNERS}
    team = await make_team(gateway, name, its["team"])
    user = await make_member(gateway, team, name, its["member"])
    key = await make_key(gateway, name, team, user, its["key"])
    return key, {"key": key.id, "member": f"{team}:{user}", "team": team}[owner]


async def ask_at_once(gateways: Sequence[Gateway], key: Key) -> list[raw_http.RawReply]:
    """Fifty requests, dealt out over the gateways."""
    body = raw_http.chat("greedy", max_tokens=TOKENS)
    request = raw_http.post("/v1/chat/completions", body, {"authorization": f"Bearer {key.secret}"})
    ports = [gateways[number % len(gateways)].port for number in range(AT_ONCE)]
    return await asyncio.gather(*(raw_http.exchange(port, request, within_s=60) for port in ports))


async def check_budget_for_one(gateways: Sequence[Gateway], upstream: ScriptedUpstream, owner: str) -> None:
    lane = upstream.lane("greedy")
    lane.default, before = GREEDY, len(lane.requests)
    key, owner_id = await caller_with_one_budget(gateways[0], owner)

    replies = await ask_at_once(gateways, key)

    assert Counter(reply.status for reply in replies) == {200: 1, 429: AT_ONCE - 1}
    assert len(lane.requests) == before + 1
    shown = await admin(gateways[-1], f"/budgets/{owner}:{owner_id}")
    assert shown["spent_usd"] == "0.6"
    for refused in (reply for reply in replies if reply.status == 429):
        error = refused.json()["error"]
        assert error["code"] == "insufficient_quota"
        assert refused.headers["x-should-retry"] == "false"
        assert f"the budget of the {owner} {owner_id} " in error["message"]
        assert re.search(r" for \d{4}-\d{2}@UTC, ", error["message"])
        assert f"it resets at {shown['resets_at'][:19]}" in error["message"]
        assert refused.headers["x-request-id"]

    async def nothing_is_held() -> bool:
        return (await standings(gateways[-1]))[f"{owner}:{owner_id}"].reserved_nano == 0

    await eventually(nothing_is_held, within_s=10, what="nothing is reserved")


async def check_client_ids(gateways: Sequence[Gateway], upstream: ScriptedUpstream, database_url: str) -> None:
    lane = upstream.lane("greedy")
    lane.default, before = Behaviour(chunks=1), len((await read_books(database_url)).rows)
    team = await make_team(gateways[0], f"n{next(_numbers)}", None)
    user = await make_member(gateways[0], team, f"n{next(_numbers)}", None)
    key = await make_key(gateways[0], "again", team, user, budget("9"))
    headers = {"authorization": f"Bearer {key.secret}", "x-request-id": "one-and-the-same"}
    request = raw_http.post("/v1/chat/completions", raw_http.chat("greedy", max_tokens=1), headers)
    asked = (raw_http.exchange(gateways[number % len(gateways)].port, request) for number in range(AGAIN))

    replies = await asyncio.gather(*asked)

    assert {reply.status for reply in replies} == {200}
    assert {reply.headers["x-client-request-id"] for reply in replies} == {"one-and-the-same"}
    own_ids = {reply.headers["x-request-id"] for reply in replies}
    assert len(own_ids) == AGAIN

    async def all_written() -> bool:
        return len((await read_books(database_url)).rows) >= before + AGAIN

    await eventually(all_written, within_s=10, what="all rows are there")
    rows = [row for row in (await read_books(database_url)).rows if row.key_id == key.id]
    assert {row.request_id for row in rows} == own_ids
    assert len(rows) == AGAIN
    assert {row.client_request_id for row in rows} == {"one-and-the-same"}
    assert {row.request_id for row in rows} == {seen.headers["x-request-id"] for seen in list(lane.requests)[-AGAIN:]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("money")


async def test_one_gateway_serves_one_of_fifty_requests_that_a_budget_has_room_for(
    upstream: ScriptedUpstream, folder: Path
) -> None:
    async with one_gateway(upstream, folder) as gateways:
        for owner in OWNERS:
            await check_budget_for_one(gateways, upstream, owner)


async def test_four_gateways_serve_one_of_fifty_requests_that_a_budget_has_room_for(
    upstream: ScriptedUpstream, folder: Path
) -> None:
    async with four_gateways(upstream, folder) as money:
        for owner in OWNERS:
            await check_budget_for_one(money.fleet.gateways, upstream, owner)


async def test_a_client_id_that_is_used_a_hundred_times_makes_a_hundred_rows(
    upstream: ScriptedUpstream, folder: Path
) -> None:
    async with four_gateways(upstream, folder) as money:
        await check_client_ids(money.fleet.gateways, upstream, money.database_url)
