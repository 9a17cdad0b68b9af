"""A process killed at each step of a record's way: the ledger has each record, and the journals have none left."""

import pytest

from adapters.testing.usage_journal_contract import intent
from domain.usage_stream import UsageDepth
from tests.unit.usage.pipeline_world import Interruptible, Process, World, tell

STEPS = [
    ("stream", "before append"),
    ("stream", "after append"),
    ("stream", "after read"),
    ("ledger", "before insert"),
    ("ledger", "after insert"),
    ("stream", "before acknowledge"),
    ("stream", "after acknowledge"),
    ("ledger", "before known"),
    ("ledger", "after known"),
]


def store_of(world: World, name: str) -> Interruptible:
    return world.stream if name == "stream" else world.ledger


async def everything_arrived(world: World, heir: Process, ids: list[str]) -> None:
    await world.pass_s(45)
    assert world.records.ids == ids
    assert heir.unmarked == []
    assert world.directory == []
    assert await world.queue.depth() == UsageDepth(0, 0, 0)


@pytest.mark.parametrize(("store", "step"), STEPS)
@pytest.mark.parametrize("drains", [True, False], ids=["drains itself", "is drained by another"])
def test_audit_8_a_process_killed_at_any_step_leaves_a_row_for_each_record(store: str, step: str, drains: bool) -> None:
    async def story(world: World) -> None:
        victim = world.start("victim", drains=drains)
        heirs = [world.start("other")] if not drains or step.endswith("known") else []
        store_of(world, store).hangs_at = step
        ids = victim.write(*range(30))
        victim.journal.append_intent(intent(30))
        if step.endswith("known") and drains:
            await world.pass_s(5)  # it need not ask
        else:
            await store_of(world, store).reached.wait()
        await victim.kill()
        await world.end()
        store_of(world, store).let_go()

        heirs.append(world.start("heir"))
        await everything_arrived(world, heirs[-1], [*ids, intent(30).record_id])
        assert sum(heir.deaths for heir in heirs) == 1

    tell(story)


@pytest.mark.parametrize(("store", "step"), STEPS)
def test_a_stream_that_is_lost_with_the_process_loses_no_record(store: str, step: str) -> None:
    async def story(world: World) -> None:
        victim, other = world.start("victim"), world.start("other", drains=False)
        store_of(world, store).hangs_at = step
        ids = [*victim.write(*range(30)), *other.write(*range(30, 40))]
        await store_of(world, store).reached.wait()
        await victim.kill()
        store_of(world, store).let_go()
        world.lose_the_stream()

        await everything_arrived(world, world.start("heir"), ids)

    tell(story)


def test_a_process_that_ends_brings_everything_home() -> None:
    async def story(world: World) -> None:
        process = world.start()
        ids = process.write(*range(300))
        await process.close(5)

        assert world.now_s < 1
        assert world.records.ids == ids
        assert world.directory == []

    tell(story)


def test_a_process_that_ends_waits_for_those_who_drain() -> None:
    async def story(world: World) -> None:
        process = world.start(drains=False)
        world.start("worker")
        ids = process.write(*range(300))
        await process.close(5)

        assert world.now_s < 1
        assert world.records.ids == ids
        assert process.told == ids

    tell(story)


@pytest.mark.parametrize("away", ["stream", "ledger"])
def test_a_process_that_ends_without_a_store_leaves_its_journal(away: str) -> None:
    async def story(world: World) -> None:
        process = world.start()
        store_of(world, away).away = True
        ids = process.write(1, 2)
        await process.close(5)
        assert world.now_s < 3
        assert len(world.directory) == 1
        store_of(world, away).away = False

        await everything_arrived(world, world.start("heir"), ids)

    tell(story)


def test_a_process_that_ends_does_not_wait_for_a_refused_record() -> None:
    async def story(world: World) -> None:
        process = world.start()
        ids = process.write(1, 2)
        world.records.refuses = {ids[0]}
        await process.close(30)

        assert world.now_s < 2
        assert world.records.ids == ids[1:]
        assert len(world.directory) == 1

    tell(story)


def test_a_process_that_ends_waits_for_a_slow_store_only_so_long() -> None:
    async def story(world: World) -> None:
        process = world.start()
        process.write(1)
        world.ledger.hangs_at = "before insert"
        await process.close(5)

        assert 5 <= world.now_s < 5.5
        assert len(world.directory) == 1

    tell(story)
