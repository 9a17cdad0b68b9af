"""The one way to Redis: what is asked in one turn of the event loop leaves together, in the order it was asked.

So a request that asks two scripts pays one round trip, and so do a hundred requests that ask at once; and what is asked
later runs later, answered or not. Whoever asked may be cancelled: the answer is read all the same.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from redis.asyncio import RedisCluster
from redis.crc import key_slot

from adapters.outbound.redis.answer_desk import AnswerDesk
from adapters.outbound.redis.asked import Answer, Asked
from adapters.outbound.redis.cluster_lanes import ClusterLanes
from adapters.outbound.redis.connection import Client, Timeouts, close
from adapters.outbound.redis.lanes import Lanes, SingleLane
from adapters.outbound.redis.lua_scripts import Script, ScriptError
from adapters.outbound.redis.probe import PingProbe
from adapters.outbound.redis.refusals import SILENCE, STORE_ERRORS, described
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


# After a timeout and until something is answered again, nobody waits longer than this part of the bound: a request
# that asks several times pays the whole bound once.
_DOUBT_PART = 10
_US_PER_SECOND = 1_000_000

# Where the first key of a command stands that does not have it right behind its name.
_KEY_PLACES = {"EVAL": 3, "EVALSHA": 3, "XGROUP": 2, "XINFO": 2, "OBJECT": 2, "MEMORY": 2}


class RedisExecutor:
    """Sends scripts and commands. Raises StateUnavailable where Redis does not serve, at once while it is known to.

    Commands are sent once: a script that timed out may have been applied, so scripts are idempotent. Each server runs
    what it is asked in the order it was asked, with the exceptions of decision 26.
    """

    def __init__(
        self, client: Client, scripts: Mapping[str, Script], timeouts: Timeouts, breaker: StoreBreaker
    ) -> None:
        self._client = client
        self._has_slots = isinstance(client, RedisCluster)
        self._scripts = ScriptCache(client, scripts)
        self._bound_s = timeouts.command_us / _US_PER_SECOND
        self._breaker = breaker
        self._probe = PingProbe(client, self._bound_s)
        self._desk = AnswerDesk(_forms_of(client), self._bound_s, breaker, self._probe)
        self._lanes: Lanes = (
            ClusterLanes(client, self._bound_s, self._desk, self._probe)
            if isinstance(client, RedisCluster)
            else SingleLane(client, self._bound_s, self._desk)
        )
        self._desk.lanes = self._lanes

    @property
    def has_slots(self) -> bool:
        """Whether keys are spread over the servers of a Cluster."""
        return self._has_slots

    @property
    def unanswered(self) -> int:
        """How many scripts and commands were asked and are not answered yet."""
        return self._lanes.unanswered

    def on_answer(self, act: Callable[[float], None]) -> None:
        """`act` is told how many seconds each batch took that was answered. It must not fail."""
        self._desk.on_answer = act

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
        slots = {key_slot(key.encode("utf-8", "surrogatepass")) for key in keys} if self._has_slots else ()
        if len(slots) > 1:
            raise ScriptError(f"{name}: its keys lie in different slots")
        words = (*self._scripts.called(script), len(keys), *(as_sent(word, name) for word in (*keys, *arguments)))
        return self._ask(words, script, keys[0] if keys else None, next(iter(slots), None))

    async def command(self, *words: Word) -> Any:
        """What the command answers; raises as `ask`."""
        return await self.ask(*words)

    def ask(self, *words: Word) -> Answer:
        """Asks a command now, of a Cluster the node that has its key; what it answers is there to be awaited.

        Raises:
            ResponseError: It was called wrongly: a bug, or an answer that the adapter expects.
            StateUnavailable: Redis does not serve, or forbids it.
        """
        sent = tuple(as_sent(word, str(words[0])) for word in words)
        return self._ask(sent, slot=_slot_of(sent) if self._has_slots else None)

    async def ping(self) -> bool:
        """Whether Redis answers now, asked past the breaker."""
        try:
            async with asyncio.timeout(self._bound_s):
                await self._client.execute_command("PING")
        except SILENCE:
            return False
        return True

    async def serves_again(self) -> bool:
        """Whether Redis serves where it did not, asked past the breaker, on new connections. For while it is open."""
        self._lanes.drop(ConnectionError("connecting anew"))
        await self._probe.drop_connections()
        await self._probe.refresh_topology()
        return await self._probe.is_answered()

    async def aclose(self) -> None:
        """Waits for what was asked, then closes the connections."""
        await self._lanes.aclose()
        await close(self._client)

    def _ask(
        self, words: tuple[Word, ...], script: Script | None = None, key: str | None = None, slot: int | None = None
    ) -> Answer:
        loop = asyncio.get_running_loop()
        asked = Asked(words, loop.create_future(), loop.time(), script, key, slot)
        if self._breaker.is_open:
            asked.fail(StateUnavailable("redis is unavailable"))
        else:
            self._lanes.ask(asked)
        return asked.waited_for(self._bound_s / _DOUBT_PART if self._desk.in_doubt else None)


def _forms_of(client: Client) -> Mapping[str, Callable[..., Any]]:
    """How the library shows the answers to commands: OK as True, for example."""
    forms: Any = client.response_callbacks
    return {str(name): form for name, form in forms.items()}


def _slot_of(words: Sequence[Word]) -> int | None:
    place = _KEY_PLACES.get(str(words[0]).upper(), 1)
    if len(words) <= place or (place == _KEY_PLACES["EVAL"] and str(words[2]) == "0"):
        return None
    key = words[place]
    return key_slot(key if isinstance(key, bytes) else str(key).encode())


_conforms: type[StoreProbe] = RedisExecutor
