"""Work done while a lock is held."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from application.errors import StateUnavailable
from application.ports.clock import Clock
from application.ports.lock import Lock
from application.ports.randomness import Randomness

_EXTENSIONS_IN_A_TTL = 3
_TRIES_IN_A_TTL = 30
_OWNER_BITS = 128


class LockTaken(Exception):
    """Another owner held the lock at every try."""

    def __init__(self, name: str) -> None:
        super().__init__(f"another owner holds the lock {name!r}")


class Tenure:
    """A hold that goes on. Ask `is_lost` before a step that must not be taken by two; write `fence` with it.

    It counts from before each request to the store, by the clock that never steps: it ends no later than the store
    lets another owner in, and shows so even to a process that has been stopped meanwhile.
    """

    def __init__(self, clock: Clock, fence: int, until_us: int) -> None:
        self.fence = fence
        self._clock = clock
        self._until_us = until_us
        self._lost = asyncio.Event()

    def is_lost(self) -> bool:
        """Whether somebody else may have the lock by now. Once lost, it stays lost."""
        if self._clock.monotonic_us() >= self._until_us:
            self._lost.set()
        return self._lost.is_set()

    async def wait_lost(self) -> None:
        """Returns when the lock is lost; never before."""
        await self._lost.wait()

    async def keep(self, lock: Lock, name: str, owner: str, ttl_us: int) -> None:
        """Extends the hold again and again; returns when it is lost. A silent store is asked until the hold is over."""
        pause_us = ttl_us // _EXTENSIONS_IN_A_TTL
        try:
            while not self.is_lost():
                await self._clock.sleep(min(pause_us, self._until_us - self._clock.monotonic_us()))
                asked_us = self._clock.monotonic_us()
                try:
                    if self.is_lost() or not await lock.extend(name, owner, ttl_us):
                        return
                    self._until_us, pause_us = asked_us + ttl_us, ttl_us // _EXTENSIONS_IN_A_TTL
                except StateUnavailable:
                    pause_us = ttl_us // _TRIES_IN_A_TTL
        finally:
            self._lost.set()


async def try_acquire(
    lock: Lock,
    clock: Clock,
    randomness: Randomness,
    name: str,
    owner: str,
    ttl_us: int,
    *,
    retries: int = 0,
    delay_us: int = 0,
) -> Tenure | None:
    """The hold; None where another owner had it at the first try and at each of `retries` more.

    Between tries it waits `delay_us` on average, from half of it to one and a half, so that those who wait do not come
    back together. The hold is not extended: it ends `ttl_us` after it was asked for.

    Raises:
        ValueError: `ttl_us` is not above 0.
        StateUnavailable: The store does not answer.
    """
    for left in range(retries, -1, -1):
        asked_us = clock.monotonic_us()
        held = await lock.acquire(name, owner, ttl_us)
        if held is not None:
            return Tenure(clock, held.fence, asked_us + ttl_us)
        if left:
            await clock.sleep(delay_us // 2 + int(delay_us * randomness.draw()))
    return None


@asynccontextmanager
async def hold(
    lock: Lock,
    clock: Clock,
    randomness: Randomness,
    name: str,
    ttl_us: int,
    *,
    retries: int = 0,
    delay_us: int = 0,
) -> AsyncIterator[Tenure]:
    """Holds the lock while the block runs, however long that takes, and releases it after; tries as `try_acquire`.

    The block is not ended when the lock is lost: it is told so (`Tenure`).

    Raises:
        LockTaken: Another owner holds it.
        StateUnavailable: The store does not answer. Only on entry: a lock that can't be released expires.
    """
    owner = f"{randomness.bits(_OWNER_BITS):032x}"
    tenure = await try_acquire(lock, clock, randomness, name, owner, ttl_us, retries=retries, delay_us=delay_us)
    if tenure is None:
        raise LockTaken(name)
    keeping = asyncio.create_task(tenure.keep(lock, name, owner, ttl_us))
    try:
        yield tenure
    finally:
        keeping.cancel()
        with suppress(StateUnavailable):
            await lock.release(name, owner)
