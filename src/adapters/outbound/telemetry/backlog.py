"""Work that must not keep the event loop: handed over in a microsecond, done by a thread."""

import logging
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import Final, Generic, TypeVar

T = TypeVar("T")

CAPACITY: Final = 10_000
CAPACITY_BYTES: Final = 16 * 1024 * 1024
# Some milliseconds of work, for which the loop waits: then it gets its turn.
_MOST_AT_ONCE: Final = 32
# Waking a thread for each item costs the loop more than the item's work: it has to give up the interpreter each time.
_GATHERED_FOR_S: Final = 0.05

_log = logging.getLogger("moongate.backlog")


class Backlog(Generic[T]):
    """A bounded queue and the thread that empties it. What does not fit is dropped and counted, never waited for.

    `work` gets items in their order, those of 50 ms in few calls; where it fails, that is logged. The thread is
    started by `start`, in the process that is to have it: a fork takes none along.

    What may be large is weighed: all that waits has `capacity_bytes` at most.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[Sequence[T]], None],
        capacity: int = CAPACITY,
        weigh: Callable[[T], int] | None = None,
        capacity_bytes: int = CAPACITY_BYTES,
    ) -> None:
        self._name = name
        self._work = work
        self._capacity = capacity
        self._weigh = weigh
        self._capacity_bytes = capacity_bytes
        self._waiting_bytes = 0
        self._weighing = Lock()
        self._queue: SimpleQueue[T | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._ending = Event()
        self._failing = False
        self.dropped = 0

    def offer(self, item: T) -> None:
        """Adds it, or drops it where the queue is full. Never waits; for any thread."""
        # Threads that ask at the same time may add a few more than fit: the bound is there for memory's sake.
        if self._queue.qsize() >= self._capacity or not self._is_light_enough(item):
            self.dropped += 1
        else:
            self._queue.put(item)

    def start(self) -> None:
        """From now on the work is done."""
        self._ending.clear()
        self._thread = Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def close(self, within_s: float) -> bool:
        """Does what is left, and ends the thread; False where that took too long and it was left alone."""
        thread, self._thread = self._thread, None
        if thread is None:
            return True
        self._ending.set()
        self._queue.put(None)
        thread.join(within_s)
        return not thread.is_alive()

    def _is_light_enough(self, item: T) -> bool:
        weight_bytes = 0 if self._weigh is None else self._weigh(item)
        if not weight_bytes:
            return True
        with self._weighing:
            fits = self._waiting_bytes + weight_bytes <= self._capacity_bytes
            self._waiting_bytes += weight_bytes * fits
        return fits

    def _forget_weight_of(self, done: Sequence[T]) -> None:
        if self._weigh is not None and (weight_bytes := sum(map(self._weigh, done))):
            with self._weighing:
                self._waiting_bytes -= weight_bytes

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            self._ending.wait(_GATHERED_FOR_S)
            items: list[T | None] = [first]
            while items:
                todo = [item for item in items if item is not None]
                if todo:
                    self._do(todo)
                    self._forget_weight_of(todo)
                if len(todo) < len(items):
                    return
                items = self._waiting()

    def _do(self, todo: Sequence[T]) -> None:
        try:
            self._work(todo)
        except Exception:  # noqa: BLE001 - the thread must go on, whatever went wrong
            # Only the first in a row: where the log itself is the work, each line would bring about the next.
            if not self._failing:
                _log.exception("%s: what was to be done failed, and is not tried again", self._name)
            self._failing = True
        else:
            self._failing = False

    def _waiting(self) -> list[T | None]:
        items: list[T | None] = []
        while len(items) < _MOST_AT_ONCE and (not items or items[-1] is not None):
            try:
                items.append(self._queue.get_nowait())
            except Empty:
                break
        return items
