"""Redis runs, but the way to it swallows everything: load, streams, and what an operator has taken out."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.e2e import raw_http
from tests.e2e.behaviour import Behaviour
from tests.e2e.fleet import Fleet, running_fleet
from tests.e2e.gateway_process import Gateway, instance
from tests.e2e.openai_wire import whole_text
from tests.e2e.outage_fleet import PREFIX, answered, lasting_keys, outage_document
from tests.e2e.outage_story import RECOVERY_S, store_lines
from tests.e2e.outage_trial import endures
from tests.e2e.outages import blackhole
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually
from tests.e2e.test_streams import content_of
from tests.servers.redis_servers import RedisServer, standalone, valkey_binary
from tests.servers.tcp_proxy import TcpProxy

pytestmark = pytest.mark.asyncio(loop_scope="module")

SLOTS = 4
LASTS_S = 3.5
FLOWING = Behaviour(chunks=35, chunk_delay_s=LASTS_S / 35)


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with standalone(valkey_binary()) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy(server: RedisServer) -> AsyncIterator[TcpProxy]:
    async with TcpProxy(server.port) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(
    upstream: ScriptedUpstream, proxy: TcpProxy, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Fleet]:
    url = upstream.base_url
    models = [
        instance("blackholed", url, rpm=1_000_000, max_parallel=1_000),
        instance("narrow", url, max_parallel=SLOTS),
        instance("streams", url, max_parallel=1_000),
        instance("pair", url, "pair-kept"),
        instance("pair", url, "pair-drained", priority=100),
    ]
    document = outage_document(f"redis://127.0.0.1:{proxy.port}/0", models)
    async with running_fleet(document, 2, tmp_path_factory.mktemp("blackhole")) as running:
        yield running


async def degraded(fleet: Fleet) -> None:
    """Returns when no gateway asks Redis any more."""

    async def alone() -> bool:
        replies = [await gateway.chat("pair") for gateway in fleet.gateways]
        assert {reply.status for reply in replies} == {200}
        said = [line for gateway in fleet.gateways for line in store_lines(gateway)[-1:]]
        return [line[:20] for line in said] == ["redis is unavailable"] * len(fleet.gateways)

    await eventually(alone, within_s=5, what="all gateways decide alone")


async def shared_again(fleet: Fleet) -> None:
    async def shared() -> bool:
        replies = [await gateway.chat("pair") for gateway in fleet.gateways]
        return all("x-moongate-degraded" not in reply.headers for reply in replies)

    await eventually(shared, within_s=RECOVERY_S, what="Redis decides again")


async def who_serves(gateway: Gateway, count: int = 10) -> set[str]:
    return {(await gateway.chat("pair")).headers["x-moongate-instance"] for _ in range(count)}


async def test_fleet_serves_while_the_way_to_redis_swallows_everything(
    fleet: Fleet, server: RedisServer, proxy: TcpProxy, upstream: ScriptedUpstream
) -> None:
    await endures(fleet, server, upstream, blackhole(proxy))


async def test_streams_that_run_across_the_ends_of_an_outage_end_whole(
    fleet: Fleet, proxy: TcpProxy, upstream: ScriptedUpstream
) -> None:
    await answered(fleet)
    lane = upstream.lane("streams")
    lane.default = FLOWING

    before = [asyncio.create_task(gateway.chat("streams", stream=True)) for gateway in fleet.gateways]
    await eventually(lambda: len(lane.requests) == 2, within_s=5, what="they have begun")
    proxy.swallows = True
    await degraded(fleet)
    within = [asyncio.create_task(gateway.chat("streams", stream=True)) for gateway in fleet.gateways]
    await eventually(lambda: len(lane.requests) == 4, within_s=5, what="the others have begun, too")
    proxy.swallows = False
    await shared_again(fleet)
    assert not any(task.done() for task in (*before, *within))
    replies: list[raw_http.RawReply] = await asyncio.gather(*before, *within)

    assert [reply.headers.get("x-moongate-degraded") for reply in replies] == [None, None, "routing", "routing"]
    assert all(reply.complete and reply.events()[-1] == "[DONE]" for reply in replies)
    assert {content_of(reply.events()) for reply in replies} == {whole_text("streams", FLOWING)}

    async def idle() -> bool:
        shown = [(await fleet.instances(gateway))["streams"] for gateway in fleet.gateways]
        return [one["in_flight"] for one in shown] == [0, 0]

    await eventually(idle, within_s=2, what="nothing is in flight")


async def test_slots_of_attempts_that_ended_in_an_outage_are_free_as_soon_as_it_is_over(
    fleet: Fleet, proxy: TcpProxy, upstream: ScriptedUpstream
) -> None:
    await answered(fleet)
    lane = upstream.lane("narrow")
    lane.default = Behaviour(delay_s=0.5)

    def all_slots() -> "asyncio.Future[list[raw_http.RawReply]]":
        return asyncio.gather(*(gateway.chat("narrow") for gateway in fleet.gateways for _ in range(SLOTS // 2)))

    running = all_slots()
    await eventually(lambda: len(lane.requests) == SLOTS, within_s=5, what="all slots are taken")
    proxy.swallows = True
    ended = await running
    await degraded(fleet)
    proxy.swallows = False
    await shared_again(fleet)
    after = await all_slots()

    # Not who decided: a busy machine may make one of them wait too long for Redis.
    assert [reply.status for reply in (*ended, *after)] == [200] * (2 * SLOTS)


async def test_what_an_operator_drained_stays_out_while_redis_is_away(
    fleet: Fleet, server: RedisServer, proxy: TcpProxy
) -> None:
    await answered(fleet)
    assert await fleet.each(who_serves) == [{"pair-drained"}, {"pair-drained"}]
    assert (await fleet.control("pair-drained", "drain")).status == 200
    assert await fleet.each(who_serves) == [{"pair-kept"}, {"pair-kept"}]
    # Pictures are taken five times a second.
    await asyncio.sleep(0.6)

    proxy.swallows = True
    await degraded(fleet)
    assert await fleet.each(who_serves) == [{"pair-kept"}, {"pair-kept"}]
    proxy.swallows = False
    await shared_again(fleet)

    assert await fleet.each(who_serves) == [{"pair-kept"}, {"pair-kept"}]
    assert await lasting_keys(server.url) == [f"{PREFIX}{{g:main}}:instance:pair-drained:circuit"]
    assert (await fleet.control("pair-drained", "undrain")).status == 200
    assert await fleet.each(who_serves) == [{"pair-drained"}, {"pair-drained"}]
    assert await lasting_keys(server.url) == []
