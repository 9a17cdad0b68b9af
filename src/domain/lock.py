"""A name that one owner at a time may hold, for a while, with a number that tells later holders from earlier ones.

A lock that expires saves work; it does not exclude by itself: a holder that was paused goes on when it wakes. So each
acquisition has a fence, and what the lock protects refuses a smaller one than it has seen (Kleppmann, "How to do
distributed locking").
"""

from dataclasses import dataclass, replace

from domain.durations import SECOND_US

SET_BACK_US = SECOND_US
"""How far a clock may go back and no hold ends for it: servers correct theirs by less now and then."""


@dataclass(frozen=True, slots=True)
class Held:
    """The lock is yours. `fence` is greater than that of every acquisition before."""

    fence: int


@dataclass(frozen=True, slots=True)
class LockState:
    """What is remembered of one name. `LockState()` is the initial state: never held."""

    owner: str | None = None
    expires_us: int = 0
    ttl_us: int = 0
    fence: int = 0

    def is_held(self, now_us: int) -> bool:
        """Whether somebody holds it now. An end a second further away than its time to live: the clock was set back.

        The hold is over then: it would last for as long as the clock was set back.
        """
        return self.owner is not None and 0 < self.expires_us - now_us <= self.ttl_us + SET_BACK_US


def check_span(ttl_us: int) -> None:
    """Raises ValueError where `ttl_us` is no time at all."""
    if ttl_us <= 0:
        raise ValueError(f"expected a time to live above 0 µs, found {ttl_us}")


def acquire(state: LockState, now_us: int, owner: str, ttl_us: int) -> tuple[Held | None, LockState]:
    """The hold, until `ttl_us` from now, or None where another owner has it. Its owner keeps the fence it has.

    A new fence is at least the time, so that it also grows over a store that came back empty.
    """
    if state.is_held(now_us):
        if state.owner != owner:
            return None, state
        return Held(state.fence), replace(state, expires_us=now_us + ttl_us, ttl_us=ttl_us)
    fence = max(state.fence + 1, now_us)
    return Held(fence), LockState(owner, now_us + ttl_us, ttl_us, fence)


def extend(state: LockState, now_us: int, owner: str, ttl_us: int) -> tuple[bool, LockState]:
    """Whether `owner` still holds it, from now on until `ttl_us` from now. What has expired is not revived."""
    if not state.is_held(now_us) or state.owner != owner:
        return False, state
    return True, replace(state, expires_us=now_us + ttl_us, ttl_us=ttl_us)


def release(state: LockState, now_us: int, owner: str) -> tuple[bool, LockState]:
    """Whether `owner` held it until now. The fence is remembered."""
    if not state.is_held(now_us) or state.owner != owner:
        return False, state
    return True, LockState(fence=state.fence)
