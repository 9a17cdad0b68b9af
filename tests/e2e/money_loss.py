"""Budgets whose store loses everything while they are used."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable

import redis

from tests.e2e import raw_http
from tests.e2e.behaviour import Behaviour
from tests.e2e.money_books import read_books
from tests.e2e.money_fleet import MoneyFleet
from tests.e2e.money_load import MoneyLoad, plans
from tests.e2e.money_tenants import Key, budget, make_key, make_member, make_team, standings
from tests.e2e.money_world import BEHAVIOURS, MODELS, check_money, cost_nano, figures, money_keys, settled
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually
from tests.servers.redis_servers import RedisServer

# A request that finds its budget unknown waits for it: a second for all gateways to notice, and a little for the rest.
ANSWERED_WITHIN_S = 2.0
# What a busy machine may take on top.
PATIENCE_S = 2.0
AT_ONCE = 40
MOMENTS = ("running", "answered", "written")
MAX_TOKENS = 20
BODY = raw_http.chat("steady", max_tokens=MAX_TOKENS)
# What is reserved for it; what it then costs is less, and leaves no room for another one.
BUDGET_NANO = cost_nano(len(BODY), 0, MAX_TOKENS)
Strike = Callable[[RedisServer], None]


def flush(valkey: RedisServer) -> None:
    """All it knows is gone, scripts too; it goes on."""
    with redis.Redis(port=valkey.port) as client:
        client.flushall()
        client.script_flush()


def restart_empty(valkey: RedisServer) -> None:
    """Killed, and back with nothing."""
    valkey.kill()
    valkey.start()


async def check_load_with_a_loss(
    money: MoneyFleet, upstream: ScriptedUpstream, strike: Strike, *, name: str, seed: int, count: int
) -> None:
    """Random requests; half-way the store of budgets loses everything. The books must agree all the same."""
    since_s = time.monotonic()
    keys = await money_keys(money.fleet.gateways[0], name, scale=count / 2_000)
    load = MoneyLoad(money.fleet, keys)
    playing = asyncio.create_task(load.play(plans(seed, count, keys, MODELS, len(money.fleet.gateways))))
    await eventually(lambda: len(load.heard) >= count / 2, within_s=120, what="half of them are over")
    await asyncio.to_thread(strike, money.valkey)
    await playing

    # What was on its way in the stream is gone as well, and is given to it again after 15 s.
    books = await settled(money, upstream, keys, since_s, within_s=60)
    print(name, figures(load, books, since_s))  # noqa: T201 - what the run is for
    await check_money(money, upstream, load, books, since_s)
    answers = Counter((one.status, one.code) for one in load.heard if one.status not in {0, 200, 429, 502} and one.code)
    assert set(answers) <= {(503, "state_unavailable")}, answers


async def check_budget_survives(
    money: MoneyFleet, upstream: ScriptedUpstream, strike: Strike, *, name: str, moment: str
) -> float:
    """A budget has room for one request. That is served, and at some moment the store loses it; none is after it.

    Returns the longest wait for an answer.
    """
    gateways, lane = money.fleet.gateways, upstream.lane("steady")
    slow = moment == "running"
    lane.default, before = Behaviour(delay_s=3.0 if slow else 0.0), len(lane.requests)
    team = await make_team(gateways[0], name, None)
    user = await make_member(gateways[0], team, name, None)
    key = await make_key(gateways[0], name, team, user, budget(f"{BUDGET_NANO / 10**9:.9f}"))
    first = asyncio.create_task(_ask(money, 0, key))
    if slow:
        await eventually(lambda: len(lane.requests) > before, within_s=10, what="it has been sent")
    else:
        assert (await first).status == 200
    if moment == "written":
        await eventually(lambda: _is_written(money, key), within_s=10, what="it is in the ledger")
    await asyncio.to_thread(strike, money.valkey)

    began_s = time.monotonic()
    answers = await asyncio.gather(*(_timed(_ask(money, number, key)) for number in range(AT_ONCE)))

    statuses = [status for status, _ in answers]
    assert set(statuses) <= ({429} if strike is flush else {429, 503}), statuses
    assert len(lane.requests) == before + 1, f"{moment}: {len(lane.requests) - before} were served, {statuses}"
    status = (await first).status
    assert status == 200, status
    await eventually(lambda: _is_written(money, key), within_s=40, what="it is in the ledger")

    async def agrees() -> bool:
        shown = (await standings(gateways[0]))[f"key:{key.id}"]
        written_nano = (await read_books(money.database_url)).by_ledger[f"key:{key.id}"]
        return (shown.spent_nano, shown.reserved_nano) == (written_nano, 0)

    await eventually(agrees, within_s=10, what="the store has what the ledger has, and holds nothing")
    lane.default = BEHAVIOURS["steady"]
    longest_s = max(took_s for _, took_s in answers)
    print(name, moment, f"longest wait {longest_s:.2f} s of {time.monotonic() - began_s:.2f} s")  # noqa: T201
    return longest_s


async def _is_written(money: MoneyFleet, key: Key) -> bool:
    return f"key:{key.id}" in (await read_books(money.database_url)).by_ledger


async def _ask(money: MoneyFleet, number: int, key: Key) -> raw_http.RawReply:
    gateway = money.fleet.gateways[number % len(money.fleet.gateways)]
    request = raw_http.post("/v1/chat/completions", BODY, {"authorization": f"Bearer {key.secret}"})
    return await raw_http.exchange(gateway.port, request, within_s=30)


async def _timed(asking: Awaitable[raw_http.RawReply]) -> tuple[int, float]:
    began_s = time.monotonic()
    reply = await asking
    return reply.status, time.monotonic() - began_s
