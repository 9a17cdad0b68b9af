"""Fifty requests at once against a budget that has room for one; and one client id that is used again and again."""

import asyncio
import itertools
import re
from collections import Counter
from collections.abc import Sequence

from tests.e2e import raw_http
from tests.e2e.behaviour import Behaviour
from tests.e2e.gateway_process import Gateway
from tests.e2e.money_books import Row, read_books
from tests.e2e.money_fleet import MoneyFleet, priced
from tests.e2e.money_tenants import Key, admin, budget, make_key, make_member, make_team, standings
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually

AT_ONCE = 50
AGAIN = 100
TOKENS = 60
# It writes all that it may: 0.6 of a dollar, so that one dollar is never enough for two.
GREEDY = Behaviour(delay_s=0.2, chunks=TOKENS)
OWNERS = ("key", "member", "team")
_numbers = itertools.count(1)


def greedy_model(base_url: str) -> dict[str, object]:
    """What the requests ask for: input is free, and output a cent a token."""
    return priced("greedy", base_url, output_usd="0.01")


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
    """One is served. All others are told which budget it was, and not to try again."""
    lane = upstream.lane("greedy")
    lane.default, before = GREEDY, len(lane.requests)
    key, owner_id = await caller_with_one_budget(gateways[0], owner)

    replies = await ask_at_once(gateways, key)

    assert Counter(reply.status for reply in replies) == {200: 1, 429: AT_ONCE - 1}
    assert len(lane.requests) == before + 1

    async def booked() -> bool:
        return bool((await admin(gateways[-1], f"/budgets/{owner}:{owner_id}"))["spent_usd"] == "0.6")

    # It is booked beside the answer, not before it.
    await eventually(booked, within_s=5, what="the budget shows what was spent")
    shown = await admin(gateways[-1], f"/budgets/{owner}:{owner_id}")
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


async def check_client_ids(money: MoneyFleet, upstream: ScriptedUpstream) -> None:
    """A hundred requests with one id of their client: a hundred of the gateway's own, each with its row."""
    gateways, lane = money.fleet.gateways, upstream.lane("greedy")
    lane.default = Behaviour(chunks=1)
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

    async def written() -> list[Row]:
        return [row for row in (await read_books(money.database_url)).rows if row.key_id == key.id]

    async def all_written() -> bool:
        return len(await written()) >= AGAIN

    await eventually(all_written, within_s=10, what="all rows are there")
    rows = await written()
    assert len(rows) == AGAIN
    assert {row.request_id for row in rows} == own_ids
    assert {row.client_request_id for row in rows} == {"one-and-the-same"}
    assert {seen.headers["x-request-id"] for seen in list(lane.requests)[-AGAIN:]} == own_ids
