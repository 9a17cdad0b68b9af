"""Events of usage: of each record once, when the ledger has it."""

from typing import cast

from adapters.outbound.memory.event_history import MemoryEventHistory
from adapters.testing.doubles import SeededRandomness
from adapters.testing.usage_journal_contract import outcome
from application.ports.ledger import Ledger
from application.ports.usage_stream import UsageStream
from application.usage.announced import announced_to
from application.usage.drain_usage import DrainUsage
from domain.event_record import EventStream
from tests.unit.usage.pipeline_world import World, tell


def worker(world: World, history: MemoryEventHistory) -> DrainUsage:
    return DrainUsage(
        cast("UsageStream", world.stream),
        cast("Ledger", world.ledger),
        world.clock,
        SeededRandomness(),
        "w",
        on_recorded=announced_to(history),
    )


async def announced(history: MemoryEventHistory) -> list[str]:
    events = await history.last(EventStream.USAGE, 1_000)
    return sorted(f"{event.fields['request_id']}:{event.fields['attempt']}" for event in events)


def test_each_record_is_announced_when_the_ledger_has_it() -> None:
    async def story(world: World) -> None:
        history = MemoryEventHistory(world.clock)
        drain = worker(world, history)
        ids = await world.append(1, 2, 3)
        world.ledger.away = True

        await drain.drain()
        before = await announced(history)
        world.ledger.away = False
        await world.pass_s(60)
        await drain.drain()

        assert before == []
        assert await announced(history) == ids

    tell(story)


def test_what_the_ledger_had_already_is_not_announced_again() -> None:
    async def story(world: World) -> None:
        history = MemoryEventHistory(world.clock)
        drain = worker(world, history)
        await world.records.insert([outcome(1)])
        await world.append(1)

        await drain.drain()

        assert await announced(history) == []
        assert world.records.ids == [outcome(1).record_id]

    tell(story)


def test_of_a_batch_with_a_record_that_is_refused_the_others_are_announced() -> None:
    async def story(world: World) -> None:
        history = MemoryEventHistory(world.clock)
        ids = await world.append(1, 2, 3)
        world.records.refuses = {ids[1]}

        await worker(world, history).drain()

        assert await announced(history) == [ids[0], ids[2]]

    tell(story)
