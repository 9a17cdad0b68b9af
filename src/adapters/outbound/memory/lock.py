from application.ports.clock import Clock
from application.ports.lock import Lock
from domain.lock import Held, LockState, acquire, check_span, extend, release

_FREE = LockState()


class MemoryLock:
    """Locks of this process. Remembers the last fence of each name for good: names come from the configuration."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._states: dict[str, LockState] = {}

    async def acquire(self, name: str, owner: str, ttl_us: int) -> Held | None:
        check_span(ttl_us)
        held, self._states[name] = acquire(self._states.get(name, _FREE), self._clock.now_us(), owner, ttl_us)
        return held

    async def extend(self, name: str, owner: str, ttl_us: int) -> bool:
        check_span(ttl_us)
        is_held, self._states[name] = extend(self._states.get(name, _FREE), self._clock.now_us(), owner, ttl_us)
        return is_held

    async def release(self, name: str, owner: str) -> bool:
        was_held, self._states[name] = release(self._states.get(name, _FREE), self._clock.now_us(), owner)
        return was_held


_conforms: type[Lock] = MemoryLock
