"""The one way to Redis: what is asked in one turn of the event loop leaves together, in one pipeline.

So a request that asks two scripts pays one round trip, and so do a hundred requests that ask at once. The batch is
sent by a task of its own: whoever asked may be cancelled, and the connection still gets its answers in order.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import (
    NoPermissionError,
    NoScriptError,
    RedisClusterException,
    RedisError,
    ResponseError,
)
from redis.exceptions import TimeoutError as RedisTimeoutError

from adapters.outbound.redis.connection import Client, Timeouts
from adapters.outbound.redis.lua_scripts import Script, ScriptError
from adapters.outbound.redis.store_breaker import StoreBreaker
from application.errors import StateUnavailable
from application.ports.store_probe import StoreProbe

Word = str | int | bytes

Now = Callable[[], str]
"""What scripts are given as `now_us`: "" lets Redis read its own clock; tests give virtual microseconds."""


def server_time() -> str:
    """Lets Redis read its own clock, the only one that all gateways share."""
    return ""


LARGEST_BATCH = 256
BATCHES_AT_ONCE = 8
_US_PER_SECOND = 1_000_000

# The server is there but can't serve: it loads, fails over, is read-only, or is out of memory.
_UNABLE = ("LOADING", "READONLY", "CLUSTERDOWN", "MASTERDOWN", "OOM", "TRYAGAIN", "MISCONF", "NOREPLICAS")

_log = logging.getLogger("moongate.store")


@dataclass(slots=True)
class _Asked:
    words: tuple[Word, ...]
    answer: asyncio.Future[Any]
    script: Script | None = None


class RedisExecutor:
    """Sends scripts and commands. Raises StateUnavailable where Redis does not answer, at once while it is known to.

    Commands are sent once: a script that timed out may have been applied, so scripts are idempotent.
    """

    def __init__(
        self, client: Client, scripts: Mapping[str, Script], timeouts: Timeouts, breaker: StoreBreaker
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._bound_s = timeouts.command_us / _US_PER_SECOND
        self._breaker = breaker
        self._pending: list[_Asked] = []
        self._sending: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(BATCHES_AT_ONCE)
        self._by_sha = True

    async def load(self) -> None:
        """Loads every script, so that a syntax error shows at start and not in the first request.

        Where a proxy or an ACL refuses SCRIPT, scripts are sent whole from then on, with a warning.

        Raises:
            ScriptError: A script does not compile.
            StateUnavailable: Redis does not answer.
        """
        for script in self._scripts.values():
            try:
                await self._client.script_load(script.source)
            except NoPermissionError as error:
                self._send_whole(str(error))
                return
            except ResponseError as error:
                if "ompil" in str(error) or "shebang" in str(error):
                    raise ScriptError(f"{script.name}.lua: {error}") from error
                self._send_whole(str(error))
                return
            except (RedisError, OSError, TimeoutError) as error:
                raise StateUnavailable(f"redis does not answer ({type(error).__name__})") from error

    async def call(self, name: str, keys: Sequence[str], arguments: Sequence[Word]) -> Any:
        """What the script answers."""
        script = self._scripts[name]
        script.check(keys, arguments)
        words = (len(keys), *keys, *arguments)
        if self._by_sha:
            return await self._ask(_Asked(("EVALSHA", script.sha, *words), self._future(), script))
        return await self._ask(_Asked(("EVAL", script.source, *words), self._future()))

    async def command(self, *words: Word) -> Any:
        """What the command answers."""
        return await self._ask(_Asked(words, self._future()))

    async def ping(self) -> bool:
        """Whether Redis answers now, asked past the breaker."""
        try:
            async with asyncio.timeout(self._bound_s):
                await self._client.execute_command("PING")
        except (RedisError, OSError, TimeoutError):
            return False
        return True

    async def aclose(self) -> None:
        """Waits for what was sent, then closes the connections."""
        if self._sending:
            await asyncio.wait(self._sending, timeout=self._bound_s)
        await self._client.aclose()

    def _future(self) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().create_future()

    async def _ask(self, asked: _Asked) -> Any:
        if self._breaker.is_open:
            raise StateUnavailable("redis is unavailable")
        if not self._pending:
            asyncio.get_running_loop().call_soon(self._flush)
        self._pending.append(asked)
        return await asked.answer

    def _flush(self) -> None:
        pending, self._pending = self._pending, []
        for start in range(0, len(pending), LARGEST_BATCH):
            task = asyncio.ensure_future(self._send(pending[start : start + LARGEST_BATCH]))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _send(self, batch: list[_Asked]) -> None:
        try:
            async with asyncio.timeout(self._bound_s), self._slots:
                answers = await self._round_trip(batch)
                missing = [asked for asked, said in zip(batch, answers, strict=True) if _is_unloaded(asked, said)]
                if missing:
                    again = dict(zip(map(id, missing), await self._send_sources(missing), strict=True))
                    answers = [again.get(id(asked), said) for asked, said in zip(batch, answers, strict=True)]
        except (RedisError, OSError, TimeoutError) as error:
            self._breaker.failed(type(error).__name__)
            for asked in batch:
                _fail(asked, StateUnavailable(f"redis does not answer ({type(error).__name__})"))
            return
        self._hand_out(batch, answers)

    async def _round_trip(self, batch: list[_Asked]) -> list[Any]:
        pipeline: Any = self._client.pipeline(transaction=False)
        for asked in batch:
            pipeline.execute_command(*asked.words)
        answers: list[Any] = await pipeline.execute(raise_on_error=False)
        return answers

    async def _send_sources(self, missing: list[_Asked]) -> list[Any]:
        """After a restart or SCRIPT FLUSH: sends the sources, which Redis then knows again."""
        whole = [
            _Asked(("EVAL", asked.script.source, *asked.words[2:]), asked.answer) for asked in missing if asked.script
        ]
        return await self._round_trip(whole)

    def _hand_out(self, batch: list[_Asked], answers: list[Any]) -> None:
        failed = None
        for asked, said in zip(batch, answers, strict=True):
            if not isinstance(said, Exception):
                if not asked.answer.done():
                    asked.answer.set_result(said)
            elif _is_outage(said):
                failed = said
                _fail(asked, StateUnavailable(f"redis cannot serve ({type(said).__name__})"))
            else:
                _fail(asked, said)
        if failed is None:
            self._breaker.succeeded()
        else:
            self._breaker.failed(str(failed).partition(" ")[0])

    def _send_whole(self, reason: str) -> None:
        self._by_sha = False
        _log.warning("redis refuses SCRIPT LOAD (%s): every script is sent whole, which costs bandwidth", reason)


def _is_unloaded(asked: _Asked, said: object) -> bool:
    return asked.script is not None and isinstance(said, NoScriptError)


def _is_outage(error: Exception) -> bool:
    if isinstance(error, RedisConnectionError | RedisTimeoutError | RedisClusterException | OSError):
        return True
    return isinstance(error, ResponseError) and str(error).startswith(_UNABLE)


def _fail(asked: _Asked, error: Exception) -> None:
    if not asked.answer.done():
        asked.answer.set_exception(error)


_conforms: type[StoreProbe] = RedisExecutor
