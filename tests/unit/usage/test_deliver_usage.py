"""From the journal through the stream to the ledger: everything arrives, and only then is it marked."""

import logging

import pytest

from adapters.testing.usage_journal_contract import intent, outcome
from application.errors import StateUnavailable
from application.usage import deliver_usage
from domain.usage_stream import UsageDepth, UsageEntry
from tests.unit.usage.pipeline_world import World, tell


def test_a_record_is_in_the_ledger_and_marked_within_a_second_or_two() -> None:
    async def story(world: World) -> None:
        process = world.start()
        ids = process.write(1, 2, 3)

        await world.pass_s(0.5)
        assert world.records.ids == ids
        await world.pass_s(1)
        assert process.unmarked == []
        assert sorted(process.told) == ids
        assert process.deliver.on_the_way == 0
        assert await world.queue.depth() == UsageDepth(0, 0, 0)

    tell(story)


def test_what_this_process_wrote_itself_need_not_be_asked_for() -> None:
    async def story(world: World) -> None:
        process = world.start()
        process.write(*range(200))

        await world.pass_s(10)

        assert process.unmarked == []
        assert world.ledger.calls["known"] == 0

    tell(story)


def test_what_another_process_wrote_is_marked_too() -> None:
    async def story(world: World) -> None:
        process = world.start("gateway", drains=False)
        world.start("worker")
        ids = process.write(*range(20))

        await world.pass_s(4)

        assert world.records.ids == process.told == ids
        assert process.unmarked == []
        assert 0 < world.ledger.calls["known"] <= 2

    tell(story)


def test_nothing_is_marked_before_the_ledger_has_it() -> None:
    async def story(world: World) -> None:
        process = world.start(drains=False)
        ids = process.write(1, 2)

        await world.pass_s(600)

        assert process.unmarked == ids
        assert process.told == []

    tell(story)


def test_a_stream_that_lost_everything_is_filled_again_by_the_journals() -> None:
    async def story(world: World) -> None:
        process = world.start(drains=False)
        ids = process.write(1, 2)
        await world.pass_s(3)
        world.lose_the_stream()

        await world.pass_s(14)
        world.start("worker")
        await world.pass_s(4)

        assert world.records.ids == process.told == ids
        assert process.unmarked == []

    tell(story)


def test_what_is_only_slow_is_not_asked_for_without_end() -> None:
    async def story(world: World) -> None:
        process = world.start(drains=False)
        process.write(1)

        await world.pass_s(600)

        assert world.ledger.calls["known"] <= 16
        assert world.stream.calls["append"] <= 14
        assert await world.queue.depth() == UsageDepth(1, 0, 0)

    tell(story)


def test_a_stream_that_is_away_is_tried_again_ever_more_rarely() -> None:
    async def story(world: World) -> None:
        process = world.start(drains=False)
        world.stream.away = True
        ids = process.write(1)

        await world.pass_s(300)
        assert 60 <= world.stream.calls["append"] <= 300
        assert process.unmarked == ids
        world.stream.away = False
        await world.pass_s(5)

        assert await world.queue.depth() == UsageDepth(1, 0, 0)

    tell(story)


def test_after_an_outage_of_the_stream_the_next_one_costs_little_again() -> None:
    async def story(world: World) -> None:
        process = world.start(drains=False)
        process.write(1)
        for away_s in (300, 0.3):
            world.stream.away = True
            process.write(2)
            await world.pass_s(away_s)
            world.stream.away = False
            await world.pass_s(6)
        process.write(3)
        world.stream.away = True
        await world.pass_s(0.3)
        world.stream.away = False

        await world.pass_s(0.6)

        assert (await world.queue.depth()).waiting == 3

    tell(story)


def test_a_ledger_that_is_away_holds_up_no_sending() -> None:
    async def story(world: World) -> None:
        process = world.start(drains=False)
        world.ledger.away = True
        process.write(1)
        await world.pass_s(30)
        process.write(2)
        await world.pass_s(1)

        assert await world.queue.depth() == UsageDepth(2, 0, 0)

        world.start("worker")
        world.ledger.away = False
        await world.pass_s(70)
        assert process.unmarked == []

    tell(story)


def test_no_more_than_a_bounded_number_is_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliver_usage, "CAPACITY", 120)

    async def story(world: World) -> None:
        process = world.start(drains=False)
        ids = process.write(*range(500))

        await world.pass_s(30)
        assert process.deliver.on_the_way == 120
        assert await world.queue.depth() == UsageDepth(120, 0, 0)
        world.start("worker")
        await world.pass_s(60)

        assert world.records.ids == ids
        assert process.unmarked == []

    tell(story)


def test_what_a_dead_process_left_is_told_once_and_delivered() -> None:
    async def story(world: World) -> None:
        dead, heir = world.start("dead", drains=False), world.start("heir")
        world.stream.away = True
        dead.write(1)
        dead.journal.append_intent(intent(2))
        heir.write(3)
        await world.pass_s(1)
        await dead.kill()
        await world.pass_s(12)
        world.stream.away = False

        await world.pass_s(12)

        assert heir.adopted == [outcome(1), intent(2).unresolved()]
        assert {record.record_id: record for record in world.records.records} == {
            record.record_id: record for record in (outcome(1), intent(2).unresolved(), outcome(3))
        }
        assert heir.unmarked == []

    tell(story)


def test_a_hook_that_needs_a_store_that_is_away_is_called_again() -> None:
    async def story(world: World) -> None:
        dead, heir = world.start("dead", drains=False), world.start("heir")
        dead.journal.append_intent(intent(1))
        heir.hook_fails = [StateUnavailable("away")] * 4
        await dead.kill()

        await world.pass_s(30)

        assert heir.hook_fails == []
        assert heir.adopted == [intent(1).unresolved()]
        assert heir.told == world.records.ids == ["r-0001:1"]
        assert heir.unmarked == []

    tell(story)


def test_a_hook_that_fails_keeps_no_record_back(caplog: pytest.LogCaptureFixture) -> None:
    async def story(world: World) -> None:
        dead, heir = world.start("dead", drains=False), world.start("heir")
        dead.journal.append_intent(intent(1))
        heir.hook_fails = [ValueError("a bad amount")]
        await dead.kill()

        await world.pass_s(8)

        assert heir.adopted == []
        assert world.records.ids == ["r-0001:1"]

    with caplog.at_level(logging.ERROR):
        tell(story)
    assert [record.getMessage() for record in caplog.records] == [
        "the usage of a dead process can't be settled: r-0001:1"
    ]


def test_a_dead_letter_stays_in_the_journal_until_it_is_replayed() -> None:
    async def story(world: World) -> None:
        process = world.start(drains=False)
        ids = process.write(1)
        await world.pass_s(1)
        await world.queue.dead_letter(UsageEntry(ids[0], b"", 1), "no such day")
        await world.pass_s(300)
        assert process.unmarked == ids
        assert await world.queue.depth() == UsageDepth(0, 0, 1)

        await world.queue.replay(ids[0])
        world.start("worker")
        await world.pass_s(130)

        assert world.records.ids == ids
        assert process.unmarked == []

    tell(story)


def test_a_discarded_dead_letter_leaves_the_journal_and_does_not_come_back() -> None:
    async def story(world: World) -> None:
        process = world.start(drains=False)
        ids = process.write(1)
        await world.pass_s(1)
        await world.queue.dead_letter(UsageEntry(ids[0], b"", 1), "no such day")
        await world.queue.discard(ids[0])

        await world.pass_s(30)

        assert process.unmarked == []
        assert process.told == ids
        assert await world.queue.depth() == UsageDepth(0, 0, 0)
        assert await world.queue.discarded(ids) == []

    tell(story)


def test_a_record_that_two_files_of_a_dead_process_have_arrives_once() -> None:
    async def story(world: World) -> None:
        first, second = world.start("a", drains=False), world.start("b", drains=False)
        world.stream.away = True
        first.write(1)
        second.write(1)
        await first.kill()
        await second.kill()
        world.stream.away = False
        heir = world.start("heir")

        await world.pass_s(6)

        assert world.records.ids == ["r-0001:1"]
        assert heir.unmarked == []

    tell(story)
