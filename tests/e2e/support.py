"""Small things every end-to-end test needs."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

POLL_S = 0.01


async def eventually(condition: Callable[[], object | Awaitable[object]], *, within_s: float, what: str) -> None:
    """Return as soon as the condition holds; fail the test, naming it, where it does not in time."""
    deadline_s = time.monotonic() + within_s
    while True:
        held = condition()
        if inspect.isawaitable(held):
            held = await held
        if held:
            return
        if time.monotonic() > deadline_s:
            raise AssertionError(f"not within {within_s} s: {what}")
        await asyncio.sleep(POLL_S)


async def until(moment_s: float) -> None:
    """Return when `time.monotonic()` has come to that moment."""
    await asyncio.sleep(max(0.0, moment_s - time.monotonic()))
