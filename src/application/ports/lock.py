from typing import Protocol

from domain.lock import Held


class Lock(Protocol):
    """Names that one owner at a time may hold. Each step is atomic over all processes.

    For work that should be done once, not for what must never be done twice: a holder that was paused, or a store that
    failed over, can leave two who believe to hold it. Whatever must be exact checks the fence.

    An owner is a token that nobody else uses, new for each hold. `ttl_us` is above 0. At the very microsecond at which
    a hold expires it is free; it also is where the clock that holds are
    measured by is set back by more than a second.

    Raises:
        ValueError: `ttl_us` is not above 0.
        StateUnavailable: The store does not answer; the step may have been taken. Repeated by the same owner, it does
            no harm.
    """

    async def acquire(self, name: str, owner: str, ttl_us: int) -> Held | None:
        """The hold for `ttl_us` from now; None where another owner has it.

        Its own holder is answered with the fence it has, and holds it for `ttl_us` from now.
        """
        ...

    async def extend(self, name: str, owner: str, ttl_us: int) -> bool:
        """Holds it for `ttl_us` from now; False where `owner` does not hold it (any more), and nothing changes."""
        ...

    async def release(self, name: str, owner: str) -> bool:
        """Gives it back; False where `owner` does not hold it (any more), and nothing changes."""
        ...
