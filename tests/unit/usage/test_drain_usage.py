"""From the stream into the ledger: everything once, whatever is refused, away or dead."""

import asyncio
import logging
from itertools import pairwise

import pytest

from application.usage import held_usage
from domain.usage_stream import UsageDepth
from tests.unit.usage.pipeline_world import World, tell


def running(world: World, name: str, *, batch_size: int = 100) -> "asyncio.Task[None]":
    return asyncio.ensure_future(world.worker(name, batch_size=batch_size).run())


def test_batches_follow_each_other_without_a_pause() -> None:
    async def story(world: World) -> None:
        ids = await world.append(*range(2_050))
        task = running(world, "w")

        await world.pass_s(0.001)

        assert world.records.ids == ids
        assert await world.queue.depth() == UsageDepth(0, 0, 0)
        assert [len(batch) for _, batch in world.records.tried] == [100] * 20 + [50]
        assert world.stream.calls["keep"] == 0
        assert world.stream.calls["claim_stale"] == 1
        assert world.stream.calls["acknowledge"] == 21
        task.cancel()

    tell(story)


def test_audit_8_a_refused_record_spoils_no_other_is_tried_after_10_40_and_90_seconds_and_put_aside() -> None:
    async def story(world: World) -> None:
        ids = await world.append(*range(100))
        bad = ids[37]
        world.records.refuses = {bad}
        tasks = [running(world, "w1"), running(world, "w2")]

        await world.pass_s(1)
        assert world.records.ids == [one for one in ids if one != bad]
        assert len(world.records.tried) <= 2 * 7 + 1
        await world.pass_s(200)

        times_s = world.records.times_of(bad)
        assert [round(later - earlier) for earlier, later in pairwise(times_s)] == [10, 40, 90]
        (letter,), _ = await world.queue.list_dead(10)
        assert (letter.id, letter.error, letter.deliveries) == (bad, "no such day", 1)
        assert await world.queue.depth() == UsageDepth(0, 0, 1)
        for task in tasks:
            task.cancel()

    tell(story)


def test_a_record_that_is_taken_at_a_later_try_is_no_dead_letter() -> None:
    async def story(world: World) -> None:
        ids = await world.append(1, 2)
        world.records.refuses = {ids[0]}
        task = running(world, "w")
        await world.pass_s(20)
        world.records.refuses = set()

        await world.pass_s(31)

        assert world.records.ids == ids
        assert await world.queue.depth() == UsageDepth(0, 0, 0)
        task.cancel()

    tell(story)


def test_without_retries_a_refused_record_is_put_aside_at_once() -> None:
    async def story(world: World) -> None:
        ids = await world.append(1)
        world.records.refuses = set(ids)
        process = world.worker("w")
        process._max_retries = 0

        assert await process.drain()

        assert await world.queue.depth() == UsageDepth(0, 0, 1)

    tell(story)


def test_bytes_that_are_no_record_are_put_aside_at_once() -> None:
    async def story(world: World) -> None:
        await world.queue.append(b'{"v":99}', "strange:1")
        ids = await world.append(1, 2)

        assert await world.worker("w").drain()

        assert world.records.ids == ids
        (letter,), _ = await world.queue.list_dead(10)
        assert letter.id == "strange:1"
        assert letter.error.startswith("no usage record: ")

    tell(story)


def test_while_the_database_is_away_records_are_kept_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    async def story(world: World) -> None:
        ids = await world.append(*range(150))
        world.ledger.away = True
        tasks = [running(world, "w1")]
        await world.pass_s(1)
        tasks.append(running(world, "w2"))

        await world.pass_s(3_600)

        assert world.stream.calls["acknowledge"] == world.stream.calls["dead_letter"] == 0
        assert 2 * 60 <= world.ledger.calls["insert"] <= 2 * 250
        assert await world.queue.depth() == UsageDepth(0, 150, 0)
        assert [entry.deliveries for entry in await world.queue.claim_stale("probe", 0, 200)] == [2] * 150
        world.ledger.away = False
        await world.pass_s(90)

        assert world.records.ids == ids
        assert await world.queue.depth() == UsageDepth(0, 0, 0)
        for task in tasks:
            task.cancel()

    with caplog.at_level(logging.WARNING):
        tell(story)
    messages = [record.getMessage() for record in caplog.records]
    assert messages[:3] == [*["the ledger can't be reached, usage waits: away"] * 2, "the ledger is back"]


def test_pauses_while_the_database_is_away_grow_from_one_second_to_sixty() -> None:
    async def story(world: World) -> None:
        await world.append(1)
        world.ledger.away = True
        worker = world.worker("w")
        worker._ledger_backoff._randomness.draw = lambda: 0.999  # type: ignore[method-assign]
        tried_s = []
        for _ in range(2_000):
            before = world.ledger.calls["insert"]
            await worker.drain()
            if world.ledger.calls["insert"] > before:
                tried_s.append(world.now_s)
            await world.pass_s(0.2)

        spans = [round(later - earlier) for earlier, later in pairwise(tried_s)]
        assert spans[:8] == [1, 2, 4, 8, 16, 32, 60, 60]

    tell(story)


def test_what_a_dead_worker_had_is_in_the_ledger_within_thirty_seconds() -> None:
    async def story(world: World) -> None:
        ids = await world.append(*range(300))
        world.ledger.hangs_at = "before insert"
        dead = [running(world, "a"), running(world, "b")]
        await world.ledger.reached.wait()
        await world.pass_s(0.1)
        for task in dead:
            task.cancel()
        world.ledger.let_go()
        survivor = running(world, "c")

        await world.pass_s(25)

        assert world.records.ids == ids
        assert await world.queue.depth() == UsageDepth(0, 0, 0)
        survivor.cancel()

    tell(story)


def test_all_that_a_dead_worker_had_is_claimed_in_one_go() -> None:
    async def story(world: World) -> None:
        ids = await world.append(*range(2_000))
        await world.queue.read("dead", 2_000, 0)
        survivor = running(world, "w")

        await world.pass_s(25)

        assert world.records.ids == ids
        survivor.cancel()

    tell(story)


def test_what_is_claimed_keeps_nobody_else_waiting() -> None:
    async def story(world: World) -> None:
        await world.append(*range(1_000))
        await world.queue.read("dead", 1_000, 0)
        await world.pass_s(20)
        fresh = await world.append(9_000)
        worker = world.worker("w")

        for _ in range(3):
            await worker.drain()

        assert set(fresh) <= set(world.records.ids)

    tell(story)


def test_after_an_outage_the_next_one_begins_with_short_pauses_again() -> None:
    async def story(world: World) -> None:
        await world.append(1)
        world.ledger.away = True
        task = running(world, "w")
        await world.pass_s(600)
        world.ledger.away = False
        await world.pass_s(70)
        world.ledger.away = True
        await world.append(2)
        await world.pass_s(0.5)
        world.ledger.away = False

        await world.pass_s(1.5)

        assert len(world.records.ids) == 2
        task.cancel()

    tell(story)


def test_two_workers_with_one_entry_do_no_harm() -> None:
    async def story(world: World) -> None:
        ids = await world.append(1, 2)
        slow, fast = world.worker("slow"), world.worker("fast")
        world.ledger.hangs_at = "before insert"
        stuck = asyncio.ensure_future(slow.drain())
        await world.ledger.reached.wait()
        world.ledger.hangs_at = None
        await world.pass_s(16)

        assert await fast.drain()
        assert world.records.ids == ids
        world.ledger.let_go()
        await stuck

        assert world.records.ids == ids
        assert await world.queue.depth() == UsageDepth(0, 0, 0)

    tell(story)


def test_an_acknowledgement_that_failed_is_made_good() -> None:
    async def story(world: World) -> None:
        await world.append(1)
        world.ledger.hangs_at = "after insert"
        task = running(world, "w")
        await world.ledger.reached.wait()
        task.cancel()
        world.ledger.let_go()
        worker = world.worker("other")
        await world.pass_s(16)
        world.stream.away = True
        running_again = asyncio.ensure_future(worker.run())
        await world.pass_s(1)
        world.stream.away = False
        await world.pass_s(6)

        assert await world.queue.depth() == UsageDepth(0, 0, 0)
        assert len(world.records.ids) == 1
        running_again.cancel()

    tell(story)


def test_a_commit_whose_acknowledgement_found_no_stream_is_not_written_again() -> None:
    async def story(world: World) -> None:
        ids = await world.append(1)
        worker = world.worker("w")
        inner = world.records.insert

        async def insert_then_lose_the_stream(records: object) -> int:
            count = await inner(records)  # type: ignore[arg-type]
            world.stream.away = True
            return count

        world.records.insert = insert_then_lose_the_stream  # type: ignore[method-assign]
        task = asyncio.ensure_future(worker.run())
        await world.pass_s(3)
        assert world.records.ids == ids
        assert await world.queue.depth() == UsageDepth(0, 1, 0)
        world.stream.away = False
        await world.pass_s(6)

        assert await world.queue.depth() == UsageDepth(0, 0, 0)
        assert len(world.records.tried) == 1
        task.cancel()

    tell(story)


def test_a_stream_that_is_away_is_asked_again_within_five_seconds() -> None:
    async def story(world: World) -> None:
        world.stream.away = True
        task = running(world, "w")
        await world.pass_s(600)
        assert world.stream.calls["claim_stale"] + world.stream.calls["read"] >= 120
        ids = await world.append(1)
        world.stream.away = False

        await world.pass_s(5)

        assert world.records.ids == ids
        task.cancel()

    tell(story)


def test_a_worker_that_is_told_to_stop_finishes_its_batch() -> None:
    async def story(world: World) -> None:
        ids = await world.append(*range(250))
        worker = world.worker("w")
        world.ledger.hangs_at = "before insert"
        task = asyncio.ensure_future(worker.run())
        await world.ledger.reached.wait()
        worker.stop()
        world.ledger.let_go()
        await task

        assert world.records.ids == ids[:100]
        assert await world.queue.depth() == UsageDepth(150, 0, 0)

    tell(story)


def test_an_idle_worker_stops_at_once() -> None:
    async def story(world: World) -> None:
        worker = world.worker("w")
        task = asyncio.ensure_future(worker.run())
        await world.pass_s(1.01)
        worker.stop()
        before_s = world.now_s

        await task

        assert world.now_s == before_s

    tell(story)


def test_more_refused_records_than_a_worker_holds_are_put_aside_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_usage, "MOST_REFUSED", 3)

    async def story(world: World) -> None:
        ids = await world.append(*range(8))
        world.records.refuses = set(ids[:7])
        task = running(world, "w")
        await world.pass_s(1)
        assert world.records.ids == ids[7:]

        await world.pass_s(600)

        assert await world.queue.depth() == UsageDepth(0, 0, 7)
        task.cancel()

    tell(story)
