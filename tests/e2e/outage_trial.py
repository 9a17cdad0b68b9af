"""Two gateways under a steady load, an outage, and all that must hold of it."""

import asyncio
import contextlib

from tests.e2e.fleet import Fleet
from tests.e2e.gateway_process import Gateway
from tests.e2e.outage_fleet import AWAY, answered, lasting_keys
from tests.e2e.outage_load import Load
from tests.e2e.outage_story import PRICE_S, RECOVERY_S, Story, leases, ring_sum, store_lines
from tests.e2e.outages import Outage
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.store_watch import StoreWatch
from tests.e2e.support import eventually
from tests.servers.redis_servers import RedisServer

STALLED_S = 0.05
BEFORE_S = AFTER_S = 1.0


async def endures(fleet: Fleet, server: RedisServer, upstream: ScriptedUpstream, outage: Outage) -> None:
    """Asks for the model that is called like the outage, and for nothing else."""
    await answered(fleet)
    marks = [gateway.log.stat().st_size for gateway in fleet.gateways]
    with StoreWatch(server.port) as watch:
        async with Load(fleet.gateways, outage.name) as load:
            await asyncio.sleep(BEFORE_S)
            began_s, back_s = await outage.strike(server)
            await load.recovers(back_s, within_s=RECOVERY_S + 1)
            await asyncio.sleep(AFTER_S)
    story = Story(load.chats, load.readiness, began_s, back_s)
    store_s = watch.worst_s(back_s)
    print(f"\n{outage.name}: {story.figures()}, store {1_000 * store_s:.1f} ms")  # noqa: T201 - with -s

    assert_served(story)
    assert len(upstream.lane(outage.name).requests) == len(story.chats)
    await counted_once(server, outage.name, story.shared_since(began_s if outage.forgets else 0.0))
    assert await lasting_keys(server.url) == []
    for number, (gateway, mark) in enumerate(zip(fleet.gateways, marks, strict=True)):
        told = await outages_told(gateway, mark)
        # A gateway or a Redis that the machine stopped for so long makes one more outage.
        assert story.machine_s() + store_s > STALLED_S or told in outage.noticed, f"{told} outages told"
        assert story.complaints(number) >= {"ok"}
        assert story.complaints(number) == {"ok", AWAY} or 0 in outage.noticed
        assert "Traceback" not in gateway.log.read_text(encoding="utf-8")


async def outages_told(gateway: Gateway, from_byte: int) -> int:
    """How many outages of Redis its log tells of, each with its end.

    One more may have begun just now on a busy machine, as a single late answer is enough soon after an outage.
    """
    said: list[str] = []

    def tells_the_end() -> bool:
        said[:] = [line[:20] for line in store_lines(gateway, from_byte)]
        return len(said) % 2 == 0

    await eventually(tells_the_end, within_s=RECOVERY_S + 3, what="the log tells of the end of the outage")
    assert said == len(said) // 2 * ["redis is unavailable", "redis is back after "], said
    return len(said) // 2


async def counted_once(server: RedisServer, instance_id: str, shared: int) -> None:
    """What Redis was asked and never heard to answer is taken back: it was admitted by somebody else."""

    def agrees() -> bool:
        return (ring_sum(server.url, instance_id), leases(server.url, instance_id)) == (shared, 0)

    with contextlib.suppress(AssertionError):
        await eventually(agrees, within_s=2, what="Redis has counted what it decided")
    assert (ring_sum(server.url, instance_id), leases(server.url, instance_id)) == (shared, 0)


def assert_served(story: Story) -> None:
    """Nobody was refused, nobody waited long, and whoever decided alone said so, for no longer than there was need."""
    assert story.statuses == {200}
    assert {one.degraded for one in story.chats} == {"", "routing"}
    # What asks no store was as late as this at worst: that is the machine, and no price of the outage.
    assert story.added_s() <= PRICE_S + story.machine_s()
    assert max(story.recovery_s(gateway) for gateway in (0, 1)) <= RECOVERY_S
    assert max(one.began_s for one in story.local) <= story.back_s + RECOVERY_S
