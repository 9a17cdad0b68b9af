"""Brings the store back: asks for it while it is down, and closes the breaker when it answers."""

import logging

from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.lua_scripts import ScriptError
from adapters.outbound.redis.store_breaker import StoreBreaker
from application.errors import StateUnavailable
from application.ports.clock import Clock
from application.ports.randomness import Randomness

PROBE_EVERY_US = 500_000
JITTER = 0.2

_log = logging.getLogger("moongate.store")


class Prober:
    """One background task. While the store is up it sleeps; while it is down it asks every 500 ms ± 20 %.

    Before the breaker closes, connections are new and all scripts are loaded; then its `on_recovery` acts run.
    """

    def __init__(self, executor: RedisExecutor, breaker: StoreBreaker, clock: Clock, randomness: Randomness) -> None:
        self._executor = executor
        self._breaker = breaker
        self._clock = clock
        self._randomness = randomness

    async def run(self) -> None:
        """Watches for ever; ends by cancellation."""
        while True:
            await self._breaker.wait_until_open()
            spread = 1 + JITTER * (2 * self._randomness.draw() - 1)
            await self._clock.sleep(round(PROBE_EVERY_US * spread))
            await self._ask()

    async def _ask(self) -> None:
        try:
            if await self._executor.serves_again():
                await self._executor.load()
                self._breaker.recovered()
        except StateUnavailable:
            return  # It went away while the scripts were loaded.
        except ScriptError:
            # It answers; calls will say what is wrong. Staying open would hide it.
            _log.exception("a script cannot be loaded")
            self._breaker.recovered()
