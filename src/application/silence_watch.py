import asyncio

_US_PER_SECOND = 1_000_000


class SilenceWatch:
    """Cancels a task that waits for the next part of something for too long.

    As `asyncio.timeout` around every wait, but with one timer for as long as parts keep coming: a stream has
    thousands of waits, and almost all of them are short.

        watch.begin()
        try:
            part = await source.__anext__()
        except asyncio.CancelledError:
            if watch.cancelled_it(): ...
        finally:
            watch.end()
    """

    __slots__ = ("_cancels_before", "_due_s", "_fired", "_loop", "_span_s", "_task", "_timer")

    def __init__(self, span_us: int) -> None:
        self._span_s = span_us / _US_PER_SECOND
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[object] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due_s = 0.0
        self._cancels_before = 0
        self._fired = False

    def begin(self) -> None:
        """The current task begins to wait."""
        self._task = asyncio.current_task()
        if self._task is not None:
            self._cancels_before = self._task.cancelling()
        self._due_s = self._loop.time() + self._span_s
        if self._timer is None:
            self._timer = self._loop.call_at(self._due_s, self._check)

    def end(self) -> None:
        """The wait is over. The timer stays: it finds out by itself that nobody waits, or waits for longer."""
        self._task = None

    def stop(self) -> None:
        """There will be no more waits."""
        self._task = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def cancelled_it(self) -> bool:
        """Whether the cancellation just caught was this watch's and no one else's; ask before `end`."""
        return self._fired and self._task is not None and self._task.uncancel() <= self._cancels_before

    def _check(self) -> None:
        self._timer = None
        if self._task is None:
            return
        if self._loop.time() < self._due_s:
            self._timer = self._loop.call_at(self._due_s, self._check)
            return
        self._fired = True
        self._task.cancel()
