"""A connection that waits for its next request without a task and a timer for each."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from hypercorn.asyncio import run
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import AsyncioSingleTask
from hypercorn.typing import TaskGroup


class _OneWatch(AsyncioSingleTask):
    """What Hypercorn takes for a task that is started anew with each pause: one that lives as long as its connection.

    Attributes:
        since_s: When the pause began, in the loop's time; None while a request is under way.
    """

    def __init__(self) -> None:
        self.since_s: float | None = None
        self._task: asyncio.Task[None] | None = None

    async def restart(self, task_group: TaskGroup, action: Callable[..., Coroutine[Any, Any, None]]) -> None:  # noqa: ARG002 - `end` is enough of a group
        """A pause begins."""
        self.since_s = asyncio.get_running_loop().time()
        if self._task is None:
            self._task = asyncio.create_task(action())

    async def stop(self) -> None:
        """A request begins."""
        self.since_s = None

    def end(self) -> None:
        """The connection is over."""
        if self._task is not None:
            self._task.cancel()


class GatewayTCP(TCPServer):
    """One connection. It leans on Hypercorn's internals, as `http1` does.

    Hypercorn starts two tasks and a timer in each pause between two requests, and ends them with it: a tenth of the
    work of a small reply. And a connection whose client has gone stays there until the pause is over.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.idle_task: _OneWatch = _OneWatch()

    async def _read_data(self) -> None:
        try:
            await super()._read_data()
        finally:
            self.idle_task.end()

    async def _idle_timeout(self) -> None:
        """Closes the connection when a pause was too long, or the server ends during one."""
        while (left_s := self._left_s()) > 0:
            try:
                await asyncio.wait_for(self.context.terminated.wait(), left_s)
            except TimeoutError:
                continue
            if self.idle_task.since_s is None:
                return  # It is closed with the answer to the request that is under way.
            break
        closing: Awaitable[None] = self._initiate_server_close()
        await asyncio.shield(closing)

    def _left_s(self) -> float:
        longest_s, since_s = self.config.keep_alive_timeout, self.idle_task.since_s
        return longest_s if since_s is None else since_s + longest_s - self.loop.time()


def install() -> None:
    """Makes it what accepts all connections of this process: Hypercorn has no setting for that."""
    run.TCPServer = GatewayTCP  # type: ignore[attr-defined]
