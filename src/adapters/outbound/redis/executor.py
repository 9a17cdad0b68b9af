"""The one way to Redis: what is asked in one turn of the event loop leaves together, in one pipeline.

So a request that asks two scripts pays one round trip, and so do a hundred requests that ask at once. The batch is
sent by a task of its own: whoever asked may be cancelled, and the connection still gets its answers in order.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from redis.asyncio import RedisCluster
from redis.crc import key_slot
from redis.exceptions import NoPermissionError, NoScriptError, ResponseError

from adapters.outbound.redis.asked import Answer, Asked
from adapters.outbound.redis.connection import Client, Timeouts, close
from adapters.outbound.redis.lua_scripts import Script, ScriptError
from adapters.outbound.redis.probe import PingProbe
from adapters.outbound.redis.refusals import STORE_ERRORS, described, is_outage
from adapters.outbound.redis.script_cache import ScriptCache
from adapters.outbound.redis.store_breaker import StoreBreaker
from adapters.outbound.redis.words import Word, as_sent
from application.errors import StateUnavailable
from application.ports.store_probe import StoreProbe

Now = Callable[[], str]
"""What scripts are given as `now_us`: "" lets Redis read its own clock; tests give virtual microseconds."""


def server_time() -> str:
    """Lets Redis read its own clock, the only one that all gateways share."""
    return ""


LARGEST_BATCH = 256
BATCHES_AT_ONCE = 8

# After a timeout and until something is answered again, nobody waits longer than this part of the bound: a request
# that asks several times pays the whole bound once.
_DOUBT_PART = 10
_OWN_DELAY = 1.5
_US_PER_SECOND = 1_000_000

_log = logging.getLogger("moongate.store")


class RedisExecutor:
    """Sends scripts and commands. Raises StateUnavailable where Redis does not serve, at once while it is known to.

    Commands are sent once: a script that timed out may have been applied, so scripts are idempotent. What is asked
    together is answered in one round trip and, up to 256 of it, run in that order by each server.
    """

    def __init__(
        self, client: Client, scripts: Mapping[str, Script], timeouts: Timeouts, breaker: StoreBreaker
    ) -> None:
        self._client = client
        self._scripts = ScriptCache(client, scripts)
        self._bound_s = timeouts.command_us / _US_PER_SECOND
        self._breaker = breaker
        self._pending: list[Asked] = []
        self._sending: set[asyncio.Task[None]] = set()
        self._flush_is_due = False
        self._in_doubt = False
        self._forbidden: set[str] = set()
        self._probe = PingProbe(client, self._bound_s)
        self._refreshing: asyncio.Task[None] | None = None

    async def load(self) -> None:
        """Loads every script, so that a syntax error shows at start and not in the first request.

        Where a proxy or an ACL refuses SCRIPT, scripts are sent whole from then on, with a warning. Where Redis does
        not answer, the breaker opens: the prober will load them.

        Raises:
            ScriptError: A script does not compile.
            StateUnavailable: Redis does not answer.
        """
        try:
            await self._scripts.load()
        except STORE_ERRORS as error:
            self._breaker.trip(described(error))
            raise StateUnavailable(f"redis does not answer ({type(error).__name__})") from error

    async def call(self, name: str, keys: Sequence[str], arguments: Sequence[Word]) -> Any:
        """What the script answers; raises as `post`."""
        return await self.post(name, keys, arguments)

    def post(self, name: str, keys: Sequence[str], arguments: Sequence[Word]) -> Answer:
        """Asks a script now, before whatever is asked next; what it answers is there to be awaited.

        Raises:
            ScriptError: It was called wrongly, or it failed: a bug.
            StateUnavailable: Redis does not serve, or forbids it.
        """
        script = self._scripts[name]
        script.check(keys, arguments)
        if isinstance(self._client, RedisCluster) and len({key_slot(key.encode()) for key in keys}) > 1:
            raise ScriptError(f"{name}: its keys lie in different slots")
        words = (*self._scripts.called(script), len(keys), *(as_sent(word, name) for word in (*keys, *arguments)))
        return self._ask(words, script, keys[0] if keys else None)

    async def command(self, *words: Word) -> Any:
        """What the command answers; of a Cluster, the node that has its key.

        Raises:
            ResponseError: It was called wrongly: a bug, or an answer that the adapter expects.
            StateUnavailable: Redis does not serve, or forbids it.
        """
        return await self._ask(tuple(as_sent(word, str(words[0])) for word in words))

    async def caught_up(self) -> None:
        """Returns when every batch that is under way has returned. What is asked next can't overtake one of them."""
        if self._sending:
            await asyncio.wait(self._sending)

    async def ping(self) -> bool:
        """Whether Redis answers now, asked past the breaker."""
        try:
            async with asyncio.timeout(self._bound_s):
                await self._client.execute_command("PING")
        except STORE_ERRORS:
            return False
        return True

    async def serves_again(self) -> bool:
        """Whether Redis serves where it did not, asked past the breaker, on new connections. For while it is open."""
        await self._probe.drop_connections()
        await self._probe.refresh_topology()
        return await self._probe.is_answered()

    async def aclose(self) -> None:
        """Waits for what was asked, then closes the connections."""
        self._flush()
        while self._sending:
            await asyncio.wait(self._sending)
        if self._refreshing is not None:
            await asyncio.wait([self._refreshing])
        await close(self._client)

    def _ask(self, words: tuple[Word, ...], script: Script | None = None, key: str | None = None) -> Answer:
        loop = asyncio.get_running_loop()
        asked = Asked(words, loop.create_future(), loop.time(), script, key)
        if self._breaker.is_open:
            asked.fail(StateUnavailable("redis is unavailable"))
        else:
            self._pending.append(asked)
            if not self._flush_is_due:
                self._flush_is_due = True
                loop.call_soon(self._flush)
        return asked.waited_for(self._bound_s / _DOUBT_PART if self._in_doubt else None)

    def _flush(self, *, waited: bool = False) -> None:
        """Sends what was asked, in as few batches as may be under way; the rest goes when one of them returns."""
        self._flush_is_due = False
        while self._pending and len(self._sending) < BATCHES_AT_ONCE:
            taken, self._pending = self._pending[:LARGEST_BATCH], self._pending[LARGEST_BATCH:]
            batch = [asked for asked in taken if self._still_wanted(asked, waited=waited)]
            if batch:
                task = asyncio.get_running_loop().create_task(self._send(batch))
                self._sending.add(task)
                task.add_done_callback(self._sent)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        if self._pending:
            self._flush(waited=True)

    def _still_wanted(self, asked: Asked, *, waited: bool) -> bool:
        """Whoever was cancelled meanwhile is not sent; whoever waited too long for its turn is told so.

        That is no sign of an outage, and not counted as one: the breaker hears of those that were sent.
        """
        if self._breaker.is_open:
            asked.fail(StateUnavailable("redis is unavailable"))
        elif waited and asyncio.get_running_loop().time() - asked.asked_s > self._bound_s / 2:
            asked.fail(StateUnavailable("redis is too slow: too much was waiting for it"))
        return not asked.answer.done()

    async def _send(self, batch: list[Asked]) -> None:
        started_s = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._bound_s):
                answers = await self._round_trips(batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever asked must not wait for ever
            answers = [error] * len(batch)
        outage = None
        for asked, said in zip(batch, answers, strict=True):
            if not isinstance(said, Exception):
                asked.succeed(said)
            elif is_outage(said):
                outage = said
                if asked.key is not None:
                    self._probe.note(asked.key)
                asked.fail(StateUnavailable(f"redis does not serve ({type(said).__name__})"))
            else:
                self._refuse(asked, said)
        self._judge(outage, asyncio.get_running_loop().time() - started_s)

    def _judge(self, outage: Exception | None, took_s: float) -> None:
        if outage is None:
            self._in_doubt = False
            self._breaker.succeeded()
            return
        if took_s > _OWN_DELAY * self._bound_s:
            return  # The bound passed long before it was noticed: this process was stopped or busy, not the store.
        self._in_doubt = True
        self._breaker.failed(described(outage))
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.get_running_loop().create_task(self._probe.refresh_topology())

    async def _round_trips(self, batch: list[Asked]) -> list[Any]:
        """One, or two where Redis has forgotten scripts: the second sends their sources, which it then knows again."""
        answers = await self._round_trip([asked.words for asked in batch])
        missing = [
            (place, asked.script.source, asked.words[2:])
            for place, (asked, said) in enumerate(zip(batch, answers, strict=True))
            if asked.script is not None and isinstance(said, NoScriptError)
        ]
        if missing:
            again = await self._round_trip([("EVAL", source, *words) for _, source, words in missing])
            for (place, _, _), said in zip(missing, again, strict=True):
                answers[place] = said
        return answers

    async def _round_trip(self, commands: Sequence[tuple[Word, ...]]) -> list[Any]:
        pipeline: Any = self._client.pipeline(transaction=False)
        for words in commands:
            pipeline.execute_command(*words)
        answers: list[Any] = await pipeline.execute(raise_on_error=False)
        return answers

    def _refuse(self, asked: Asked, said: Exception) -> None:
        if isinstance(said, NoPermissionError):
            if asked.name not in self._forbidden:
                self._forbidden.add(asked.name)
                _log.error("redis forbids %s (%s): going on without it as configured", asked.name, said)
            asked.fail(StateUnavailable(f"redis forbids {asked.name}"))
        elif asked.script is not None and isinstance(said, ResponseError):
            error = ScriptError(f"{asked.name}.lua failed: {said}")
            error.__cause__ = said
            asked.fail(error)
        else:
            asked.fail(said)


_conforms: type[StoreProbe] = RedisExecutor
