"""Ends of admissions that a store has not heard yet, sent again until it has; what Ends is for Redis."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from application.errors import StateUnavailable
from tests.simulation.link import Link

_AGAIN_S = 0.2
_LOOKED_FOR_S = 5.0

Step = Callable[[], Coroutine[Any, Any, Any]]


class Owing:
    """`post` sends at once. Where that is lost, it is sent again five times a second.

    An undoing is also sent for 5 s more after it was first heard: what it undoes may arrive late.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def post(self, under: str, step: Step, *, undoes_lost: bool = False) -> None:
        """Carries it out, before whatever is asked next where nothing is lost.

        `undoes_lost`: it undoes what may not have arrived yet.
        """
        self.forget(under)
        task = asyncio.ensure_future(self._see_to(under, self._link.send(under, step), step, undoes_lost=undoes_lost))
        self._tasks[under] = task
        task.add_done_callback(lambda _: self._tasks.pop(under, None) if self._tasks.get(under) is task else None)

    def forget(self, under: str) -> None:
        """It is asked for again, so that it must not be undone."""
        task = self._tasks.pop(under, None)
        if task is not None:
            task.cancel()

    async def settle(self) -> None:
        """Returns when nothing is owed."""
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    async def _see_to(self, under: str, asked: "asyncio.Future[Any]", step: Step, *, undoes_lost: bool) -> None:
        heard_s: float | None = None
        loop = asyncio.get_running_loop()
        while True:
            try:
                was_there = await asked
            except StateUnavailable:
                heard_s = None
            else:
                heard_s = loop.time() if heard_s is None else heard_s
                if was_there or not undoes_lost or loop.time() - heard_s > _LOOKED_FOR_S:
                    return
            await asyncio.sleep(_AGAIN_S)
            asked = self._link.send(under, step)
