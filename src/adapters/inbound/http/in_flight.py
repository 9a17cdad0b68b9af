"""The requests being handled now, so that a drain can end those that outlast it."""

import asyncio
from typing import Any


class InFlight:
    """Tasks of requests being handled, and the paths they are for. `over`: they have been told to end."""

    def __init__(self) -> None:
        self.over = False
        self._tasks: dict[asyncio.Task[Any], str] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def enter(self, task: asyncio.Task[Any], path: str = "") -> None:
        """`task` begins to handle a request for `path`."""
        self._tasks[task] = path

    def paths(self) -> list[str]:
        """What each of them is for, as clients sent it."""
        return list(self._tasks.values())

    def leave(self, task: asyncio.Task[Any]) -> None:
        """`task` has done so."""
        self._tasks.pop(task, None)

    def cancel_all(self) -> None:
        """Ends what is still being handled. An answer that has begun is cut off visibly, never completed."""
        self.over = True
        for task in tuple(self._tasks):
            task.cancel()
