from adapters.outbound.redis.executor import Now, RedisExecutor, server_time
from application.ports.lock import Lock
from domain.lock import Held, check_span


class RedisLock:
    """Locks of all gateways. One server decides; for what that is worth, see the port."""

    def __init__(self, executor: RedisExecutor, prefix: str, now: Now = server_time) -> None:
        self._executor = executor
        self._prefix = prefix
        self._now = now

    async def acquire(self, name: str, owner: str, ttl_us: int) -> Held | None:
        check_span(ttl_us)
        fence = await self._executor.call("lock/acquire", [self._key(name)], [owner, ttl_us, self._now()])
        return None if fence is None else Held(int(fence))

    async def extend(self, name: str, owner: str, ttl_us: int) -> bool:
        check_span(ttl_us)
        return bool(await self._executor.call("lock/extend", [self._key(name)], [owner, ttl_us, self._now()]))

    async def release(self, name: str, owner: str) -> bool:
        return bool(await self._executor.call("lock/release", [self._key(name)], [owner, self._now()]))

    def _key(self, name: str) -> str:
        return f"{self._prefix}{{lock:{name}}}"


_conforms: type[Lock] = RedisLock
