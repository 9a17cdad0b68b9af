"""Health checks of a process that is alone: its store must not care what the machine's clock is set to."""

import asyncio

import pytest

from adapters.outbound.memory.lock import MemoryLock
from adapters.outbound.memory.steady_clock import SteadyClock
from adapters.testing.virtual_time import EPOCH_US, VirtualClock, run_virtual
from domain.durations import MINUTE_US, SECOND_US

HOUR_US = 60 * MINUTE_US


@pytest.mark.parametrize("step_us", [-HOUR_US, HOUR_US])
def test_a_lock_lasts_as_long_as_it_was_taken_for_whatever_the_clock_is_set_to(step_us: int) -> None:
    async def scenario() -> None:
        clock = VirtualClock()
        steady = SteadyClock(clock)
        lock = MemoryLock(steady)
        await asyncio.sleep(5)
        assert steady.now_us() == EPOCH_US + 5 * SECOND_US
        await lock.acquire("health:a", "one", 30 * SECOND_US)

        clock.step(step_us)
        await steady.sleep(29 * SECOND_US)
        assert await lock.acquire("health:a", "other", 30 * SECOND_US) is None
        await steady.sleep(SECOND_US)
        assert await lock.acquire("health:a", "other", 30 * SECOND_US) is not None
        assert steady.now_us() == EPOCH_US + 35 * SECOND_US
        assert steady.monotonic_us() == clock.monotonic_us()

    run_virtual(scenario())
