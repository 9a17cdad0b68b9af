import asyncio

import pytest

from adapters.testing.virtual_time import run_virtual
from application.silence_watch import SilenceWatch

SPAN_US = 5_000_000


async def wait_under(watch: SilenceWatch, seconds: float) -> bool:
    """Whether the watch ended the wait."""
    watch.begin()
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        if not watch.cancelled_it():
            raise
        return True
    finally:
        watch.end()
    return False


def test_waits_that_are_short_enough_never_end_early_however_many() -> None:
    async def scenario() -> None:
        watch = SilenceWatch(SPAN_US)
        assert not any([await wait_under(watch, 4.9) for _ in range(10)])

    run_virtual(scenario())


def test_a_silence_ends_after_its_span_and_not_before() -> None:
    async def scenario() -> None:
        watch = SilenceWatch(SPAN_US)
        await wait_under(watch, 3)
        before = asyncio.get_running_loop().time()

        assert await wait_under(watch, 60)

        assert asyncio.get_running_loop().time() - before == pytest.approx(5)

    run_virtual(scenario())


def test_time_between_waits_does_not_count() -> None:
    async def scenario() -> None:
        watch = SilenceWatch(SPAN_US)
        await wait_under(watch, 1)
        await asyncio.sleep(100)

        assert not await wait_under(watch, 4)

    run_virtual(scenario())


def test_the_task_goes_on_uncancelled_after_a_silence() -> None:
    async def scenario() -> None:
        watch = SilenceWatch(SPAN_US)
        assert await wait_under(watch, 60)
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        await asyncio.sleep(1)

    run_virtual(scenario())


def test_a_cancellation_from_outside_stays_a_cancellation() -> None:
    async def scenario() -> None:
        task = asyncio.create_task(wait_under(SilenceWatch(SPAN_US), 60))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run_virtual(scenario())


def test_a_cancellation_from_outside_at_the_very_moment_of_silence_is_not_swallowed() -> None:
    async def scenario() -> None:
        task = asyncio.create_task(wait_under(SilenceWatch(SPAN_US), 60))
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_at(5.0, task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task

    run_virtual(scenario())


def test_a_stopped_watch_leaves_no_timer() -> None:
    async def scenario() -> float:
        watch = SilenceWatch(SPAN_US)
        await wait_under(watch, 1)
        watch.stop()
        assert watch._timer is None
        return asyncio.get_running_loop().time()

    assert run_virtual(scenario()) == pytest.approx(1)
