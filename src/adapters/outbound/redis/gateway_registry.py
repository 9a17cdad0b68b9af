from adapters.outbound.redis.executor import Now, RedisExecutor, server_time
from application.errors import StateUnavailable
from application.ports.clock import Clock
from application.ports.gateway_registry import GatewayRegistry
from domain.gateways import LIVE_US


class RedisGatewayRegistry:
    """Gateways by expiry in one sorted set.

    Args:
        gateway_id: Unique among gateways; another one for each start.
        clock: Tells how long ago the last answer was.
    """

    def __init__(
        self, executor: RedisExecutor, prefix: str, gateway_id: str, clock: Clock, now: Now = server_time
    ) -> None:
        self._executor = executor
        self._key = f"{prefix}{{gateways}}"
        self._gateway_id = gateway_id
        self._clock = clock
        self._now = now
        self._count = 1
        self._answered_us: int | None = None
        self._floor = 1
        self._floor_until_us = 0

    async def announce(self) -> None:
        try:
            heard = int(
                await self._executor.call("gateways/announce", [self._key], [self._gateway_id, LIVE_US, self._now()])
            )
        except StateUnavailable:
            return
        now_us = self._clock.monotonic_us()
        if self._answered_us is not None and now_us - self._answered_us > LIVE_US:
            self._floor, self._floor_until_us = self._count, now_us + LIVE_US
        self._answered_us = now_us
        self._count = max(1, heard, self._floor if now_us < self._floor_until_us else 1)

    async def leave(self) -> None:
        try:
            await self._executor.command("ZREM", self._key, self._gateway_id)
        except StateUnavailable:
            return

    def count(self) -> int | None:
        return None if self._answered_us is None else self._count


_conforms: type[GatewayRegistry] = RedisGatewayRegistry
