"""The requests being handled now, so that a drain can end those that outlast it."""

import asyncio
from typing import Any


class InFlight:
    """Tasks of requests being handled. `over`: they have been told to end."""

    def __init__(self) -> None:
        self.over = False
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def enter(self, task: asyncio.Task[Any]) -> None:
        """`task` begins to handle a request."""
        self._tasks.add(task)

    def leave(self, task: asyncio.Task[Any]) -> None:
        """`task` has done so."""
        self._tasks.discard(task)

    def cancel_all(self) -> None:
        """Ends what is still being handled. An answer that has begun is cut off visibly, never completed."""
        self.over = True
        for task in tuple(self._tasks):
            task.cancel()
