"""Runs one seed from the first start to the last check."""

import asyncio
import gc
import logging

from tests.simulation.clients import Clients
from tests.simulation.faults import run_faults
from tests.simulation.invariants import check_all
from tests.simulation.link import Weather
from tests.simulation.simulated_loop import SimulatedLoop
from tests.simulation.world import Told, World, simulated_disk

_SETTLE_S = 90.0


def simulate(seed: int, minutes: float = 10.0) -> Told:
    """What became of it, with `minutes` of virtual time under load and faults."""
    logging.disable(logging.CRITICAL)
    gc.collect()
    gc.disable()  # a run leaves some 50 MB of cycles
    try:
        with simulated_disk() as (directory, disk), asyncio.Runner(loop_factory=lambda: SimulatedLoop(seed)) as runner:
            return runner.run(_live(World(seed, directory, disk), minutes * 60))
    finally:
        gc.enable()
        logging.disable(logging.NOTSET)


async def _live(world: World, span_s: float) -> Told:
    count = world.chance.choice((1, 1, 1, 2, 2, 2, 3, 3, 4, 8))
    for number in range(count):
        await world.start(f"gateway{number}")
    clients = Clients(world)
    await asyncio.gather(clients.run(span_s - _SETTLE_S), run_faults(world, span_s - 2 * _SETTLE_S))
    _heal(world)
    await asyncio.sleep(_SETTLE_S)
    for gateway in world.gateways.values():
        await gateway.stop()
    check_all(world, clients)
    world.told.virtual_s = world.loop.time()
    world.told.trace = world.trace()
    return world.told


def _heal(world: World) -> None:
    for gateway in world.gateways.values():
        for link in gateway.links:
            link.weather = Weather()
    for upstream in world.upstreams.values():
        upstream.mood = "well"
