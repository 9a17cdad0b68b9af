import asyncio
import logging

import pytest

from adapters.testing.virtual_time import VirtualClock, run_virtual
from application.endless import AGAIN_AFTER_US, keep_going


def test_work_that_fails_begins_again_and_is_told_once_each_time(caplog: pytest.LogCaptureFixture) -> None:
    begun: list[int] = []

    async def scenario() -> None:
        clock = VirtualClock()

        async def work() -> None:
            begun.append(clock.monotonic_us())
            if len(begun) < 3:
                raise RuntimeError("a bad answer")
            await asyncio.Event().wait()

        running = asyncio.create_task(keep_going("renewing", work, clock))
        await clock.sleep(10 * AGAIN_AFTER_US)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    with caplog.at_level(logging.ERROR):
        run_virtual(scenario())

    assert begun == [0, AGAIN_AFTER_US, 2 * AGAIN_AFTER_US]
    assert [record.getMessage() for record in caplog.records] == ["renewing failed: it begins again"] * 2
