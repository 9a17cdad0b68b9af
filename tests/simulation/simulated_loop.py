"""An event loop whose time jumps, whose order a seed decides, and whose parts can be stopped.

Callbacks that are ready at the same moment run in an order drawn from the seed. Those of a paused context wait, as the
threads of a stopped process do. Nothing here waits for the world: no sockets, no threads.
"""

import asyncio
import heapq
import random
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from adapters.testing.virtual_time import DeadlockError, VirtualTimeLoop

OWNER: ContextVar[str] = ContextVar("OWNER", default="world")
"""Whose work runs: the name of a gateway and its life, or the world."""


class SimulatedLoop(VirtualTimeLoop):
    """See above. `seed` decides the order."""

    _ready: deque[Any]
    _scheduled: list[Any]

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._order = random.Random(f"order {seed}")
        self._paused: set[str] = set()
        self._held: list[asyncio.Handle] = []
        self.tasks: dict[str, dict[asyncio.Task[Any], None]] = {}
        self.set_task_factory(self._make_task)

    def pause(self, owner: str) -> None:
        """Nothing of `owner` runs from now on."""
        self._paused.add(owner)

    def resume(self, owner: str) -> None:
        """It goes on, with all that has become due meanwhile."""
        self._paused.discard(owner)
        self._ready.extend(self._held)
        self._held.clear()

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """At once, on this thread: a thread's end would come at another moment in each run."""
        del executor
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - handed to whoever waits, as an executor does
            future.set_exception(error)
        return future

    def _make_task(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **more: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **more)
        context = more.get("context")
        # In the order in which they were made: a set's depends on where in memory they are.
        mine = self.tasks.setdefault(OWNER.get() if context is None else context.get(OWNER, "world"), {})
        mine[task] = None
        task.add_done_callback(lambda done: mine.pop(done, None))
        return task

    def _run_once(self) -> None:
        self._take_due()
        batch = list(self._ready)
        self._ready.clear()
        if len(batch) > 1:
            self._order.shuffle(batch)
        for handle in batch:
            if handle._cancelled:
                continue
            if self._paused and handle._context.get(OWNER, "world") in self._paused:
                self._held.append(handle)
            else:
                handle._run()

    def _take_due(self) -> None:
        scheduled = self._scheduled
        while scheduled and scheduled[0]._cancelled:
            heapq.heappop(scheduled)._scheduled = False
        if not self._ready:
            if not scheduled:
                raise DeadlockError("all tasks wait, and no timer is set")
            self._jumping.now_s = max(self._jumping.now_s, scheduled[0]._when)
        now_s = self._jumping.now_s
        while scheduled and scheduled[0]._when <= now_s:
            handle = heapq.heappop(scheduled)
            handle._scheduled = False
            self._ready.append(handle)
