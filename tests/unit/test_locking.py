"""Work under a lock, in virtual time. §9.1 of the audit: `TryLockWithRetry`, `WithLock`, `Extend`."""

import asyncio

import pytest

from adapters.outbound.memory.lock import MemoryLock
from adapters.testing.doubles import SeededRandomness
from adapters.testing.virtual_time import VirtualClock, run_virtual
from application.errors import StateUnavailable
from application.locking import LockTaken, hold, try_acquire
from domain.durations import SECOND_US
from domain.lock import Held

TTL_US = 30 * SECOND_US


class FrailLock(MemoryLock):
    """A lock whose store can be made silent."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self.is_down = False
        self.asked = 0

    async def acquire(self, name: str, owner: str, ttl_us: int) -> Held | None:
        self.asked += 1
        return await super().acquire(name, owner, ttl_us)

    async def extend(self, name: str, owner: str, ttl_us: int) -> bool:
        self.asked += 1
        if self.is_down:
            raise StateUnavailable("down")
        return await super().extend(name, owner, ttl_us)

    async def release(self, name: str, owner: str) -> bool:
        if self.is_down:
            raise StateUnavailable("down")
        return await super().release(name, owner)


class Bench:
    """A lock, and what is needed to hold it."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.lock = FrailLock(self.clock)
        self.tools = (self.lock, self.clock, SeededRandomness())

    async def is_free(self) -> bool:
        free = await MemoryLock.acquire(self.lock, "job", "somebody else", 1) is not None
        await MemoryLock.release(self.lock, "job", "somebody else")
        return free

    async def pass_s(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def test_a_lock_is_held_for_as_long_as_the_block_runs_and_no_longer() -> None:
    async def scenario() -> None:
        bench = Bench()
        async with hold(*bench.tools, "job", TTL_US) as tenure:
            for _ in range(10):
                await bench.pass_s(29)
                assert not await bench.is_free()
                assert not tenure.is_lost()
        assert await bench.is_free()

    run_virtual(scenario())


def test_nothing_is_asked_of_the_store_after_the_block() -> None:
    async def scenario() -> None:
        bench = Bench()
        async with hold(*bench.tools, "job", TTL_US):
            pass
        asked = bench.lock.asked
        await bench.pass_s(300)
        assert bench.lock.asked == asked

    run_virtual(scenario())


def test_a_block_that_fails_or_is_cancelled_releases_too() -> None:
    async def failing(bench: Bench) -> None:
        async with hold(*bench.tools, "job", TTL_US):
            raise LookupError

    async def endless(bench: Bench) -> None:
        async with hold(*bench.tools, "job", TTL_US):
            await asyncio.sleep(10**6)

    async def scenario() -> None:
        bench = Bench()
        with pytest.raises(LookupError):
            await failing(bench)
        assert await bench.is_free()
        working = asyncio.create_task(endless(bench))
        await bench.pass_s(1)
        assert not await bench.is_free()
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
        assert await bench.is_free()

    run_virtual(scenario())


def test_a_second_block_is_refused_by_name() -> None:
    async def scenario() -> None:
        bench = Bench()
        async with hold(*bench.tools, "job", TTL_US):
            with pytest.raises(LockTaken, match="'job'"):
                await hold(*bench.tools, "job", TTL_US, retries=2, delay_us=SECOND_US).__aenter__()
            assert not await bench.is_free()

    run_virtual(scenario())


def test_trying_again_gets_a_lock_that_becomes_free() -> None:
    async def scenario() -> None:
        bench = Bench()
        await bench.lock.acquire("job", "first", 5 * SECOND_US)

        async with hold(*bench.tools, "job", TTL_US, retries=10, delay_us=SECOND_US) as tenure:
            assert 5 * SECOND_US <= bench.clock.monotonic_us() < 7 * SECOND_US
            assert not tenure.is_lost()

    run_virtual(scenario())


def test_tries_are_counted_and_spread_around_the_delay() -> None:
    async def scenario() -> None:
        bench = Bench()
        await bench.lock.acquire("job", "first", 10**15)
        bench.lock.asked = 0

        assert await try_acquire(*bench.tools, "job", "me", TTL_US, retries=100, delay_us=SECOND_US) is None

        assert bench.lock.asked == 101
        assert 90 * SECOND_US < bench.clock.monotonic_us() < 110 * SECOND_US
        assert bench.clock.monotonic_us() % SECOND_US != 0

    run_virtual(scenario())


def test_a_hold_without_retries_asks_once_and_does_not_wait() -> None:
    async def scenario() -> None:
        bench = Bench()
        await bench.lock.acquire("job", "first", 10**15)
        assert await try_acquire(*bench.tools, "job", "me", TTL_US, delay_us=SECOND_US) is None
        assert (bench.lock.asked, bench.clock.monotonic_us()) == (2, 0)

    run_virtual(scenario())


def test_a_lock_that_went_to_another_owner_is_lost_at_the_next_extension() -> None:
    async def scenario() -> None:
        bench = Bench()
        async with hold(*bench.tools, "job", TTL_US) as tenure:
            bench.lock._states.clear()
            held = await bench.lock.acquire("job", "second", TTL_US)
            await tenure.wait_lost()
            assert bench.clock.monotonic_us() == TTL_US // 3
            assert tenure.is_lost()
            assert held is not None
        assert not await bench.is_free()

    run_virtual(scenario())


def test_while_the_store_is_silent_a_hold_ends_by_itself_when_others_may_have_it() -> None:
    async def scenario() -> None:
        bench = Bench()
        async with hold(*bench.tools, "job", TTL_US) as tenure:
            await bench.pass_s(25)
            bench.lock.is_down = True
            await tenure.wait_lost()
            assert bench.clock.monotonic_us() == 20 * SECOND_US + TTL_US
            assert await bench.is_free()
            bench.lock.is_down = False

    run_virtual(scenario())


def test_a_store_that_comes_back_in_time_costs_nothing() -> None:
    async def scenario() -> None:
        bench = Bench()
        async with hold(*bench.tools, "job", TTL_US) as tenure:
            bench.lock.is_down = True
            await bench.pass_s(25)
            bench.lock.is_down = False
            await bench.pass_s(100)
            assert not tenure.is_lost()

    run_virtual(scenario())


def test_a_store_that_is_down_at_the_end_does_not_break_the_work_that_was_done() -> None:
    async def scenario() -> None:
        bench = Bench()
        async with hold(*bench.tools, "job", TTL_US):
            bench.lock.is_down = True
        assert not await bench.is_free()
        await bench.pass_s(30)
        assert await bench.is_free()

    run_virtual(scenario())


def test_a_process_that_was_stopped_sees_the_loss_before_it_has_asked() -> None:
    async def scenario() -> None:
        bench = Bench()
        tenure = await try_acquire(*bench.tools, "job", "me", TTL_US)
        assert tenure is not None
        await bench.pass_s(29)
        assert not tenure.is_lost()
        await bench.pass_s(1)
        successor = await bench.lock.acquire("job", "second", TTL_US)

        assert tenure.is_lost()
        assert successor is not None
        assert tenure.fence < successor.fence

    run_virtual(scenario())


class SlowLock(FrailLock):
    """Extends at once, and answers later."""

    answers_after_s = 25.0

    async def extend(self, name: str, owner: str, ttl_us: int) -> bool:
        said = await super().extend(name, owner, ttl_us)
        await asyncio.sleep(self.answers_after_s)
        return said


def test_what_was_lost_stays_lost_though_a_late_answer_says_otherwise() -> None:
    async def scenario() -> None:
        clock = VirtualClock()
        async with hold(SlowLock(clock), clock, SeededRandomness(), "job", TTL_US) as tenure:
            await asyncio.sleep(30)
            assert tenure.is_lost()
            await asyncio.sleep(7)
            assert tenure.is_lost()

    run_virtual(scenario())


def test_a_hold_counts_from_when_it_was_asked_for_and_not_from_the_answer() -> None:
    async def scenario() -> None:
        clock = VirtualClock()
        lock = SlowLock(clock)
        lock.answers_after_s = 9
        async with hold(lock, clock, SeededRandomness(), "job", TTL_US) as tenure:
            await asyncio.sleep(15)
            lock.is_down = True
            await tenure.wait_lost()
            assert clock.monotonic_us() == 10 * SECOND_US + TTL_US

    run_virtual(scenario())


def test_each_hold_has_an_owner_of_its_own() -> None:
    async def scenario() -> None:
        bench = Bench()
        async with hold(*bench.tools, "job", TTL_US) as tenure:
            bench.lock._states.clear()
            async with hold(*bench.tools, "job", TTL_US):
                await tenure.wait_lost()
            assert await bench.is_free()

    run_virtual(scenario())
