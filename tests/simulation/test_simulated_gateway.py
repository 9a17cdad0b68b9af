"""What the simulation relies on of a gateway that is killed and started again."""

import asyncio

from tests.simulation.simulated_loop import SimulatedLoop
from tests.simulation.world import World, simulated_disk


def test_a_gateway_that_finds_the_journal_of_a_dead_one_doubts_all_budgets() -> None:
    async def story(world: World) -> None:
        first = await world.start("gateway")
        assert first.container.doubts()._all_due_us == []
        await world.crash("gateway", torn=False)

        heir = await world.start("gateway")
        await asyncio.sleep(0.01)

        assert len(heir.container.doubts()._all_due_us) == 2
        await heir.stop()

    with simulated_disk() as (directory, disk), asyncio.Runner(loop_factory=lambda: SimulatedLoop(1)) as runner:
        runner.run(story(World(1, directory, disk)))
