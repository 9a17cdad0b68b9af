"""An event loop whose time jumps, whose order a seed decides, and whose parts can be stopped.

Callbacks that are ready at the same moment run in an order drawn from the seed. Those of a paused context wait, as the
threads of a stopped process do. Nothing here waits for the world: no sockets, no threads.
"""

import asyncio
import heapq
import random
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from typing import Any

from adapters.testing.virtual_time import DeadlockError, VirtualTimeLoop

OWNER: ContextVar[str] = ContextVar("OWNER", default="world")
"""Whose work runs: the name of a gateway and its life, or the world."""


_FEW_TASKS = 256


class _Handle:
    """A callback that will run, at `when` or soon. What asyncio asks of its own handles, without their cost."""

    __slots__ = ("args", "callback", "context", "is_cancelled", "when_s")

    def __init__(self, callback: Callable[..., object], args: tuple[Any, ...], context: Context, when_s: float) -> None:
        self.callback, self.args, self.context, self.when_s = callback, args, context, when_s
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True

    def cancelled(self) -> bool:
        return self.is_cancelled

    def when(self) -> float:
        return self.when_s


class SimulatedLoop(VirtualTimeLoop):
    """See above. `seed` decides the order. `tasks`: all of each owner that may not be done."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._shuffle = random.Random(f"order {seed}").shuffle
        self._soon: list[_Handle] = []
        self._timers: list[tuple[float, int, _Handle]] = []
        self._count = 0
        self._now_s = 0.0
        self._paused: set[str] = set()
        self._held: list[_Handle] = []
        self._purge_at: dict[str, int] = {}
        self.tasks: dict[str, list[asyncio.Task[Any]]] = {}

    def time(self) -> float:
        return self._now_s

    def pause(self, owner: str) -> None:
        """Nothing of `owner` runs from now on."""
        self._paused.add(owner)

    def resume(self, owner: str) -> None:
        """It goes on, with all that has become due meanwhile."""
        self._paused.discard(owner)
        self._soon.extend(self._held)
        self._held.clear()

    def call_soon(self, callback: Any, *args: Any, context: Context | None = None) -> Any:  # type: ignore[override]
        handle = _Handle(callback, args, copy_context() if context is None else context, self._now_s)
        self._soon.append(handle)
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Any, *args: Any, context: Context | None = None
    ) -> Any:
        return self.call_at(self._now_s + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Any, *args: Any, context: Context | None = None
    ) -> Any:
        handle = _Handle(callback, args, copy_context() if context is None else context, when)
        self._count += 1
        heapq.heappush(self._timers, (when, self._count, handle))
        return handle

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """At once, on this thread: a thread's end would come at another moment in each run."""
        del executor
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - handed to whoever waits, as an executor does
            future.set_exception(error)
        return future

    def create_task(self, coro: Any, *, name: Any = None, context: Context | None = None) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self, name=name, context=context)
        # In the order in which they were made: a set's depends on where in memory they are.
        owner = OWNER.get() if context is None else context.get(OWNER, "world")
        mine = self.tasks.setdefault(owner, [])
        mine.append(task)
        if len(mine) > self._purge_at.get(owner, _FEW_TASKS):
            self.tasks[owner] = mine = [one for one in mine if not one.done()]
            self._purge_at[owner] = _FEW_TASKS + 2 * len(mine)
        return task

    def _run_once(self) -> None:
        while not self._stopping:  # type: ignore[attr-defined]
            self._take_due()
            batch, self._soon = self._soon, []
            if len(batch) > 1:
                self._shuffle(batch)
            for handle in batch:
                if handle.is_cancelled:
                    continue
                if self._paused and handle.context.get(OWNER, "world") in self._paused:
                    self._held.append(handle)
                    continue
                try:
                    handle.context.run(handle.callback, *handle.args)
                except Exception as error:  # noqa: BLE001 - as the loops of asyncio do
                    self.call_exception_handler({"message": "a callback failed", "exception": error})

    def _take_due(self) -> None:
        timers = self._timers
        while timers and timers[0][2].is_cancelled:
            heapq.heappop(timers)
        if not self._soon:
            if not timers:
                raise DeadlockError("all tasks wait, and no timer is set")
            self._now_s = max(self._now_s, timers[0][0])
        now_s = self._now_s
        while timers and timers[0][0] <= now_s:
            handle = heapq.heappop(timers)[2]
            if not handle.is_cancelled:
                self._soon.append(handle)
