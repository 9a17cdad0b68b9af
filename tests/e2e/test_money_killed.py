"""One of two gateways is killed while it serves; whoever comes back on its directory writes down what it left."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e import raw_http
from tests.e2e.behaviour import Behaviour
from tests.e2e.fleet import Fleet
from tests.e2e.gateway_process import Gateway, start_gateway, tail, until_ready
from tests.e2e.money_books import read_books
from tests.e2e.money_fleet import MoneyFleet, money_fleet, money_servers
from tests.e2e.money_tenants import Key, budget, make_key, make_member, make_team, standings
from tests.e2e.money_world import arrived, asked_for, money_models
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

STREAMS = 50
SLOW = Behaviour(chunks=40, chunk_delay_s=0.1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def money(upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MoneyFleet]:
    with money_servers() as servers:
        folder = tmp_path_factory.mktemp("killed")
        async with money_fleet(servers, 2, folder, money_models(upstream.base_url)) as running:
            yield running


async def _stream(gateway: Gateway, key: Key) -> raw_http.RawReply | None:
    body = raw_http.chat("steady", stream=True, max_tokens=SLOW.chunks)
    request = raw_http.post("/v1/chat/completions", body, {"authorization": f"Bearer {key.secret}"})
    with suppress(OSError, EOFError):
        return await raw_http.exchange(gateway.port, request, within_s=60)
    return None


async def _start_again(fleet: Fleet, killed: Gateway) -> None:
    """On the directory of the one that was killed."""
    folder: Path = killed.log.parent
    again = start_gateway(fleet.document, folder, key=fleet.key)
    fleet._started.append(again)
    await until_ready(again, 40)
    fleet.gateways.append(again)
    assert "Traceback" not in tail(again)


async def test_a_gateway_killed_with_fifty_streams_under_way_loses_no_attempt_and_holds_no_money(
    money: MoneyFleet, upstream: ScriptedUpstream
) -> None:
    fleet, lane, since_s = money.fleet, upstream.lane("steady"), time.monotonic()
    lane.default = SLOW
    team = await make_team(fleet.gateways[0], "killed", budget("0.9"))
    user = await make_member(fleet.gateways[0], team, "killed", budget("0.8"))
    key = await make_key(fleet.gateways[0], "killed", team, user, budget("0.7"))
    streams = [asyncio.create_task(_stream(fleet.gateways[number % 2], key)) for number in range(STREAMS)]
    await eventually(lambda: len(lane.requests) == STREAMS, within_s=20, what="all streams are under way")
    held = (await standings(fleet.gateways[0]))[f"key:{key.id}"].reserved_nano

    killed = fleet.kill(0)
    await _start_again(fleet, killed)
    replies = [reply for reply in await asyncio.gather(*streams) if reply is not None]

    assert held
    assert sum(reply.complete and reply.events()[-1] == "[DONE]" for reply in replies) == STREAMS / 2

    async def over() -> bool:
        shown = await standings(fleet.gateways[0])
        books = await read_books(money.database_url)
        return all(one.reserved_nano == 0 for one in shown.values()) and len(books.rows) >= STREAMS

    await eventually(over, within_s=30, what="all is written down, and nothing is reserved")
    books = await read_books(money.database_url)
    assert asked_for(upstream, since_s) == books.attempts
    assert len(arrived(upstream, since_s)) == len(books.rows) == STREAMS
    outcomes = Counter((row.outcome, row.estimated) for row in books.rows)
    assert outcomes == {("success", False): STREAMS / 2, ("unknown", True): STREAMS / 2}
    assert books.by_ledger == books.by_days
    shown = await standings(fleet.gateways[0])
    assert {name: one.spent_nano for name, one in shown.items()} == books.by_ledger
