"""The contract of Lock. Inherit, give it `lock` and the `clock` that it goes by, and every test must pass."""

import asyncio

import pytest

from adapters.testing.virtual_time import ManualClock
from application.ports.lock import Lock
from domain.lock import SET_BACK_US, Held

TTL_US = 30_000_000
YEAR_US = 366 * 86_400_000_000


async def fence_of(lock: Lock, owner: str, name: str = "job") -> int:
    """The fence of a hold that must be had."""
    held = await lock.acquire(name, owner, TTL_US)
    assert held is not None
    return held.fence


class LockContract:
    """Wants `lock`, with nothing held, and `clock`: the suite moves it."""

    async def test_one_owner_at_a_time_holds_a_name(self, lock: Lock) -> None:
        assert await lock.acquire("job", "first", TTL_US) is not None

        assert await lock.acquire("job", "second", TTL_US) is None

    async def test_of_many_who_ask_at_once_one_gets_it(self, lock: Lock) -> None:
        answers = await asyncio.gather(*(lock.acquire("job", f"owner-{number}", TTL_US) for number in range(50)))

        assert sum(answer is not None for answer in answers) == 1

    async def test_names_do_not_know_each_other(self, lock: Lock) -> None:
        await fence_of(lock, "first", "one job")

        assert await lock.acquire("another {job}: *", "second", TTL_US) is not None
        assert await lock.release("another {job}: *", "first") is False

    async def test_a_lock_that_was_released_is_free(self, lock: Lock) -> None:
        await fence_of(lock, "first")

        assert await lock.release("job", "first") is True

        assert await lock.acquire("job", "second", TTL_US) is not None

    async def test_only_the_owner_releases_or_extends(self, lock: Lock) -> None:
        await fence_of(lock, "first")

        assert await lock.release("job", "second") is False
        assert await lock.extend("job", "second", TTL_US) is False

        assert await lock.acquire("job", "second", TTL_US) is None

    async def test_what_nobody_holds_is_neither_released_nor_extended(self, lock: Lock) -> None:
        assert await lock.release("job", "first") is False
        assert await lock.extend("job", "first", TTL_US) is False

        assert await lock.acquire("job", "second", TTL_US) is not None

    async def test_a_second_release_does_nothing(self, lock: Lock) -> None:
        await fence_of(lock, "first")
        await lock.release("job", "first")

        assert await lock.release("job", "first") is False

    async def test_a_hold_ends_at_its_last_microsecond(self, lock: Lock, clock: ManualClock) -> None:
        await fence_of(lock, "first")

        clock.advance(TTL_US - 1)
        assert await lock.acquire("job", "second", TTL_US) is None
        clock.advance(1)
        assert await lock.acquire("job", "second", TTL_US) is not None

    async def test_an_extension_counts_from_when_it_is_asked_for(self, lock: Lock, clock: ManualClock) -> None:
        await fence_of(lock, "first")
        clock.advance(TTL_US // 2)

        assert await lock.extend("job", "first", TTL_US) is True

        clock.advance(TTL_US - 1)
        assert await lock.acquire("job", "second", TTL_US) is None
        clock.advance(1)
        assert await lock.acquire("job", "second", TTL_US) is not None

    async def test_a_hold_ends_where_the_clock_is_set_back(self, lock: Lock, clock: ManualClock) -> None:
        fence = await fence_of(lock, "first")
        clock.advance(-SET_BACK_US)
        assert await lock.acquire("job", "second", TTL_US) is None
        clock.advance(-1)

        assert await lock.extend("job", "first", TTL_US) is False
        assert await lock.release("job", "first") is False
        assert await fence_of(lock, "second") > fence

    async def test_an_extension_may_last_for_longer_than_the_hold(self, lock: Lock, clock: ManualClock) -> None:
        await fence_of(lock, "first")
        await lock.extend("job", "first", 2 * TTL_US)

        assert await lock.acquire("job", "second", TTL_US) is None
        assert await lock.acquire("job", "first", TTL_US) is not None
        clock.advance(-SET_BACK_US - 1)
        assert await lock.acquire("job", "second", TTL_US) is not None

    async def test_what_has_expired_is_not_revived(self, lock: Lock, clock: ManualClock) -> None:
        await fence_of(lock, "first")
        clock.advance(TTL_US)

        assert await lock.extend("job", "first", TTL_US) is False
        assert await lock.release("job", "first") is False

    async def test_fences_grow_with_each_acquisition(self, lock: Lock, clock: ManualClock) -> None:
        fences = []
        for number in range(20):
            fences.append(await fence_of(lock, f"owner-{number}"))
            if number % 2:
                await lock.release("job", f"owner-{number}")
            else:
                clock.advance(TTL_US)

        assert fences == sorted(set(fences))

    async def test_fences_grow_though_the_clock_goes_back(self, lock: Lock, clock: ManualClock) -> None:
        before = await fence_of(lock, "first")
        await lock.release("job", "first")
        clock.advance(-TTL_US)

        assert await fence_of(lock, "second") > before

    async def test_a_fence_is_at_least_the_time_so_that_it_grows_over_a_lost_store(
        self, lock: Lock, clock: ManualClock
    ) -> None:
        assert await fence_of(lock, "first") >= clock.now_us()

    async def test_a_repeated_acquisition_keeps_its_fence_and_holds_on(self, lock: Lock, clock: ManualClock) -> None:
        fence = await fence_of(lock, "first")
        clock.advance(TTL_US - 1)

        assert await lock.acquire("job", "first", TTL_US) == Held(fence)

        clock.advance(TTL_US - 1)
        assert await lock.extend("job", "first", TTL_US) is True

    async def test_a_paused_holder_finds_itself_replaced_and_its_fence_smaller(
        self, lock: Lock, clock: ManualClock
    ) -> None:
        """§9.1 of the audit: what a holder that wakes up too late can still do."""
        paused = await fence_of(lock, "first")
        clock.advance(TTL_US)
        successor = await fence_of(lock, "second")

        assert await lock.extend("job", "first", TTL_US) is False
        assert await lock.release("job", "first") is False
        assert paused < successor
        assert await lock.extend("job", "second", TTL_US) is True

    async def test_a_hold_may_last_for_longer_than_a_day(self, lock: Lock, clock: ManualClock) -> None:
        held = await lock.acquire("job", "first", YEAR_US)
        clock.advance(YEAR_US - 1)

        assert held is not None
        assert await lock.acquire("job", "second", TTL_US) is None

    @pytest.mark.parametrize("ttl_us", [0, -1])
    async def test_a_hold_for_no_time_is_refused(self, lock: Lock, ttl_us: int) -> None:
        with pytest.raises(ValueError, match="above 0"):
            await lock.acquire("job", "first", ttl_us)
        with pytest.raises(ValueError, match="above 0"):
            await lock.extend("job", "first", ttl_us)
