"""Two gateways under a steady load lose their Redis in every way it can be lost, and get it back.

Each way has a model of its own, so that what Redis has counted can be compared with what was sent.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.e2e.fleet import Fleet, running_fleet
from tests.e2e.gateway_process import instance
from tests.e2e.outage_fleet import AWAY, answered, outage_document
from tests.e2e.outage_load import Load
from tests.e2e.outage_story import PRICE_S, RECOVERY_S, Story, held_until_s, ring_sum, store_lines
from tests.e2e.outages import DURABLE, EMPTIED, FROZEN, FULL, KILLED, PAUSED, RESTARTED, Outage
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.servers.inspection import ttl_of_keys
from tests.servers.redis_servers import RedisServer, standalone, valkey_binary

pytestmark = pytest.mark.asyncio(loop_scope="module")

OUTAGES = (FROZEN, PAUSED, FULL, KILLED, EMPTIED, RESTARTED)
LEASE_S = 30.0


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with standalone(valkey_binary(), *DURABLE) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(
    upstream: ScriptedUpstream, server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Fleet]:
    models = [instance(outage.name, upstream.base_url, rpm=1_000_000, max_parallel=100) for outage in OUTAGES]
    async with running_fleet(outage_document(server.url, models), 2, tmp_path_factory.mktemp("outage")) as running:
        yield running


@pytest.mark.parametrize("outage", OUTAGES, ids=lambda outage: outage.name)
async def test_fleet_serves_through_an_outage_and_counts_everything_once(
    fleet: Fleet, server: RedisServer, upstream: ScriptedUpstream, outage: Outage
) -> None:
    await answered(fleet)
    marks = [gateway.log.stat().st_size for gateway in fleet.gateways]
    async with Load(fleet.gateways, outage.name) as load:
        await asyncio.sleep(1)
        began_s, back_s = await outage.strike(server)
        await load.recovers(back_s, within_s=RECOVERY_S + 1)
        await asyncio.sleep(1)
    story = Story(load.chats, load.readiness, began_s, back_s)
    print(f"\n{outage.name}: {story.figures()}")  # noqa: T201 - shown by -s

    assert story.statuses == {200}
    assert {one.degraded for one in story.chats} == {"", "routing"}
    assert len(upstream.lane(outage.name).requests) == len(story.chats)
    assert story.added_s() <= PRICE_S + story.machine_s()
    assert max(story.recovery_s(gateway) for gateway in (0, 1)) <= RECOVERY_S
    assert max(one.began_s for one in story.local) <= back_s + RECOVERY_S
    assert ring_sum(server.url, outage.name) in story.counted_by_redis(forgot=outage.forgets, replayed=outage.replays)
    assert max(held_until_s(server.url, outage.name), default=0.0) <= time.time() + LEASE_S
    assert min((await ttl_of_keys(server.url, "mg:v1:")).values()) > 0
    for number, (gateway, mark) in enumerate(zip(fleet.gateways, marks, strict=True)):
        assert [line[:20] for line in store_lines(gateway, mark)] == list(outage.lines)
        assert story.complaints(number) == ({"ok", AWAY} if outage.lasts_s else {"ok"})
        assert "Traceback" not in gateway.log.read_text(encoding="utf-8")
