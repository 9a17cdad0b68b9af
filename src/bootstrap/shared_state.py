"""What a gateway does beside its requests where it shares its state with others."""

from contextlib import suppress
from dataclasses import dataclass

from adapters.outbound.redis.event_sink import RedisEventSink
from adapters.outbound.redis.prober import Prober
from adapters.outbound.redis.routing import RedisRouting
from application.announcing import keep_announcing
from application.endless import Work
from application.errors import StateUnavailable
from application.ports.clock import Clock
from application.ports.gateway_registry import GatewayRegistry
from bootstrap.stores import RedisStore


@dataclass(frozen=True, slots=True)
class SharedState:
    """Keeps this gateway in step with Redis and with the other gateways."""

    store: RedisStore
    routing: RedisRouting
    events: RedisEventSink
    usage_events: RedisEventSink
    registry: GatewayRegistry
    prober: Prober
    clock: Clock

    async def open(self) -> None:
        """Loads the scripts, and learns how instances stand and who else serves.

        Where Redis does not answer, all of it is done later: the scripts are loaded by the prober.

        Raises:
            ScriptError: A script does not compile.
        """
        with suppress(StateUnavailable):
            await self.store.executor.load()
            await self.routing.look()
        await self.registry.announce()

    def works(self) -> dict[str, Work]:
        """What runs for as long as requests are served; each ends by cancellation."""
        return {
            "probing redis": self.prober.run,
            "looking at instances": self.routing.run,
            "sending events": self.events.run,
            "sending usage events": self.usage_events.run,
            "announcing this gateway": lambda: keep_announcing(self.registry, self.clock),
        }

    async def close(self) -> None:
        """Sends what was reported and announced, after the last request."""
        await self.routing.settle()
        await self.events.flush()
        await self.usage_events.flush()
