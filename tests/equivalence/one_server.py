"""One real server for a whole module of histories, and one event loop to ask it with."""

import asyncio
import contextlib
import itertools
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

from adapters.outbound.redis.connection import connect
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.lua_scripts import all_scripts
from adapters.outbound.redis.store_breaker import StoreBreaker
from adapters.outbound.system.clock import SystemClock
from tests.servers.fixtures import PATIENT
from tests.servers.redis_servers import standalone, valkey_binary

T = TypeVar("T")


class OneServer:
    """An executor that synchronous tests can use."""

    def __init__(self, runner: asyncio.Runner, executor: RedisExecutor) -> None:
        self._runner = runner
        self._numbers = itertools.count(1)
        self.executor = executor

    def new_prefix(self) -> str:
        """Keeps one history apart from the others."""
        return f"history-{next(self._numbers)}:"

    def run(self, asking: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(asking)


@contextlib.contextmanager
def one_server() -> Iterator[OneServer]:
    with standalone(valkey_binary()) as server, asyncio.Runner() as runner:
        executor = RedisExecutor(connect(server.url, PATIENT), all_scripts(), PATIENT, StoreBreaker(SystemClock()))
        runner.run(executor.load())
        yield OneServer(runner, executor)
        runner.run(executor.aclose())
