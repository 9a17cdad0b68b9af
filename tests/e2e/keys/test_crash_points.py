"""A gateway killed at each step of an attempt's usage: whatever reached the provider is in the ledger once."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from adapters.outbound.redis.connection import connect
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.lua_scripts import all_scripts
from adapters.outbound.redis.store_breaker import StoreBreaker
from adapters.outbound.system.clock import SystemClock
from tests.e2e.behaviour import Ending, ending
from tests.e2e.fleet import fleet_configuration
from tests.e2e.gateway_process import instance
from tests.e2e.keys.crash_steps import STEP_VARIABLE, Step
from tests.e2e.keys.crash_world import CrashWorld
from tests.e2e.keys.key_fleet import own_postgres, somebody_waits, stuck_inserts
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually
from tests.servers.fixtures import PATIENT
from tests.servers.redis_servers import standalone, valkey_binary

pytestmark = pytest.mark.asyncio(loop_scope="module")

PRICED = {"input_cost_per_token": "0.000001", "output_cost_per_token": "0.000002"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CrashWorld]:
    folder: Path = tmp_path_factory.mktemp("crashes")
    with standalone(valkey_binary()) as redis, own_postgres() as postgres, pytest.MonkeyPatch.context() as environment:
        environment.setenv(STEP_VARIABLE, str(folder / "step"))
        models = [instance("m", upstream.base_url, **PRICED)]
        document = fleet_configuration(redis.url, models, database={"url": postgres.url}, redis={"prefix": "c:"})
        executor = RedisExecutor(connect(redis.url, PATIENT), all_scripts(), PATIENT, StoreBreaker(SystemClock()))
        await executor.load()
        made = CrashWorld(
            {**document, "state": "auto"}, folder, folder / "step", upstream.lane("m"), postgres, executor, "c:"
        )
        try:
            await made.start()
            await made.make_key()
            yield made
        finally:
            made.running.process.kill()
            made.running.process.wait()
            await executor.aclose()


# The others are run where time is no matter.
IN_SHORT = {
    Step.BEFORE_INTENT,
    Step.AFTER_INTENT,
    Step.BEFORE_OUTCOME,
    Step.AFTER_OUTCOME,
    Step.AFTER_SETTLE,
    Step.AFTER_XADD,
    Step.MID_INSERT,
    Step.AFTER_COMMIT,
}


@pytest.mark.parametrize(
    "step", [pytest.param(step, marks=() if step in IN_SHORT else pytest.mark.long, id=step) for step in Step]
)
async def test_a_gateway_killed_at_a_step_loses_no_attempt_and_counts_none_twice(world: CrashWorld, step: Step) -> None:
    await world.dies(step)

    await world.start()

    await world.all_is_told()
    await world.check()


async def test_a_gateway_killed_while_providers_think_leaves_rows_that_say_so(world: CrashWorld) -> None:
    before = (await world.check())["unknown"]
    world.lane.queue(ending(Ending.HANG), ending(Ending.HANG), ending(Ending.HANG, after=2))
    waiting = len(world.lane.requests) + 3
    asking = [asyncio.create_task(world.ask(stream=stream)) for stream in (False, True, True)]
    await eventually(lambda: len(world.lane.requests) == waiting, within_s=5, what="the provider has all three")

    world.kill()
    assert await asyncio.gather(*asking) == [None] * 3
    await world.start("bootstrap")

    await world.all_is_told()
    assert (await world.check())["unknown"] == before + 3


@pytest.mark.parametrize(
    ("damage", "unknown"),
    [
        pytest.param(lambda data: data[:-7], 1, id="the last bytes are missing"),
        pytest.param(lambda data: data + data[-40:-3], 0, id="half a record follows"),
        pytest.param(lambda data: data + bytes(64), 0, id="zeros follow", marks=pytest.mark.long),
    ],
)
async def test_a_torn_end_of_the_journal_costs_no_row(
    world: CrashWorld, damage: Callable[[bytes], bytes], unknown: int
) -> None:
    before = (await world.check())["unknown"]
    await world.dies(Step.AFTER_OUTCOME, clients=1)  # the end of the journal is the outcome of its only attempt

    journal = world.journals[-1]
    journal.write_bytes(damage(journal.read_bytes()))
    await world.start()

    await world.all_is_told()
    assert (await world.check())["unknown"] == before + unknown


async def test_workers_killed_in_the_middle_of_an_insert_and_after_a_commit_leave_each_record_one_row(
    world: CrashWorld,
) -> None:
    await world.dies(Step.BEFORE_INSERT)
    assert (await world.stream.depth()).pending > 0

    for step in (Step.MID_INSERT, Step.AFTER_COMMIT):
        await world.worker_dies(step)
        assert (await world.stream.depth()).pending > 0
    await world.start()

    await world.all_is_told()
    await world.check()


async def test_two_workers_that_have_the_same_records_in_hand_make_one_row_of_each(world: CrashWorld) -> None:
    await world.dies(Step.BEFORE_INSERT)

    async with AsyncExitStack() as ends:
        both = []
        async with stuck_inserts(world.postgres.url):
            for number in (1, 2):
                both.append(await ends.enter_async_context(world.worker()))
                await eventually(
                    partial(somebody_waits, world.postgres.url, number), within_s=10, what=f"{number} insert"
                )
        for worker in both:
            worker.terminate()  # each ends the batch in hand
        await eventually(lambda: all(worker.poll() == 0 for worker in both), within_s=10, what="both have ended")
    await world.start()

    await world.all_is_told()
    await world.check()


async def test_a_database_that_crashes_in_the_middle_of_a_batch_under_load_costs_no_row(world: CrashWorld) -> None:
    asked = len(world.lane.requests)
    clients = asyncio.create_task(world.load_of(80))
    async with stuck_inserts(world.postgres.url):
        await eventually(lambda: somebody_waits(world.postgres.url), within_s=10, what="an insert hangs")
        await asyncio.to_thread(world.postgres.kill)
    await asyncio.to_thread(world.postgres.start_again)
    began_s = time.monotonic()
    await clients

    await world.all_is_told()
    print(f"rows {time.monotonic() - began_s:.1f} s after the database was back")  # noqa: T201 - the figure
    assert len(world.lane.requests) == asked + 80
    await world.check()
