"""What goes wrong, and when: drawn from the seed, each fault ended by the hand that made it."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from domain.routing.strategy import StrategyName
from tests.simulation.link import Link, Weather
from tests.simulation.world import World

Fault = Callable[[World], Coroutine[Any, Any, None]]

_MOODS = ("limited", "broken", "hangs", "cuts", "refuses")


def _live(world: World) -> str | None:
    names = [name for name, one in world.gateways.items() if one.is_serving and not one.is_paused]
    return world.chance.choice(names) if names else None


async def crash(world: World) -> None:
    name = _live(world)
    if name is None:
        return
    world.fault("crash")
    await world.crash(name, torn=world.chance.random() < 0.3)
    await asyncio.sleep(world.chance.random() * 20)
    await world.start(name)


async def pause(world: World) -> None:
    name = _live(world)
    if name is None:
        return
    world.fault("pause")
    gateway = world.gateways[name]
    gateway.is_paused = gateway.was_paused = True
    world.loop.pause(gateway.name)
    await asyncio.sleep(world.chance.random() * 12)
    world.loop.resume(gateway.name)
    gateway.is_paused = False


async def partition(world: World) -> None:
    name = _live(world)
    if name is None:
        return
    gateway = world.gateways[name]
    link = gateway.links[world.chance.randint(0, 1)]
    world.fault("store cut off" if link is gateway.links[0] else "ledger cut off")
    await _under(world, [link], Weather(cut=True), 15)


async def outage(world: World) -> None:
    """Nobody reaches the store, or the ledger."""
    which = world.chance.randint(0, 1)
    world.fault(("store down", "ledger down")[which])
    await _under(world, [one.links[which] for one in world.gateways.values()], Weather(cut=True), 20)


async def bad_weather(world: World) -> None:
    name = _live(world)
    if name is None:
        return
    draw = world.chance.random
    weather = Weather(draw() * 0.06, draw() * 0.1, draw() * 0.1, draw() * 0.05)
    link = world.gateways[name].links[0 if draw() < 0.7 else 1]
    world.fault("bad link")
    await _under(world, [link], weather, 30)


async def _under(world: World, links: Sequence[Link], weather: Weather, most_s: float) -> None:
    before = [link.weather for link in links]
    for link in links:
        link.weather = weather
    await asyncio.sleep(world.chance.random() * most_s)
    for link, old in zip(links, before, strict=True):
        if link.weather is weather:
            link.weather = Weather() if old.cut else old


async def flush(world: World) -> None:
    world.fault("store flushed")
    world.store.lose()


async def rewind(world: World) -> None:
    picture = world.store.picture()
    await asyncio.sleep(world.chance.random() * 2)
    world.fault("store rewound")
    world.store.lose(picture)


async def clock_step(world: World) -> None:
    name = _live(world)
    if name is not None:
        world.fault("clock step")
        world.gateways[name].clock.step(world.chance.randint(-5_000_000, 5_000_000))


async def full_disk(world: World) -> None:
    name = _live(world)
    if name is None:
        return
    world.fault("disk full")
    world.gateways[name].had_full_disk = True
    folder = world.gateways[name].directory
    world.disk.fill(folder, world.chance.randint(0, 40))
    await asyncio.sleep(world.chance.random() * 15)
    world.disk.empty(folder)


async def bad_upstream(world: World) -> None:
    upstream = world.chance.choice(list(world.upstreams.values()))
    upstream.mood = world.chance.choice(_MOODS)
    world.fault(f"upstream {upstream.mood}")
    await asyncio.sleep(world.chance.random() * 40)
    upstream.mood = "well"


async def reload(world: World) -> None:
    """Gateways take over other weights, limits and another strategy, one after the other."""
    world.catalog = world.drawn_catalog()
    world.policy = replace(world.policy, strategy=world.chance.choice(list(StrategyName)))
    world.fault("reload")
    for name in list(world.gateways):
        await asyncio.sleep(world.chance.random())
        if (gateway := world.gateways[name]).is_serving:
            gateway.reload(world.catalog, world.policy)


KINDS: tuple[tuple[Fault, float], ...] = (
    (crash, 1.0),
    (pause, 1.0),
    (partition, 1.0),
    (outage, 0.5),
    (bad_weather, 2.0),
    (flush, 0.3),
    (rewind, 0.3),
    (clock_step, 0.5),
    (full_disk, 0.7),
    (bad_upstream, 2.0),
    (reload, 0.7),
)


async def run_faults(world: World, until_s: float) -> None:
    """A seed has some kinds of faults and not the others, so that each is also seen alone."""
    chance = world.chance
    chosen = [(kind, weight) for kind, weight in KINDS if chance.random() < 0.5]
    running: set[asyncio.Task[None]] = set()
    while chosen and world.loop.time() < until_s:
        await asyncio.sleep(chance.expovariate(1 / 20))
        kind = chance.choices([one for one, _ in chosen], [weight for _, weight in chosen])[0]
        running.add(asyncio.get_running_loop().create_task(kind(world)))
    await asyncio.gather(*running)
