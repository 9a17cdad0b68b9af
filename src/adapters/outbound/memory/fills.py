"""The fills that stand in this process, which the cache gives and flights are told under.

One that a purge revoked stands until another takes its place: nothing is stored with it, but its flight is told.
"""

from collections.abc import Callable
from dataclasses import dataclass

from domain.response_cache import Fill, FillHeld, acquire, holds

_BEFORE_SWEEP = 1_000


@dataclass(slots=True)
class _Standing:
    fill: Fill
    followed_us: int | None = None
    is_revoked: bool = False


def _nobody(_fill: Fill) -> None:
    """No flights are told under these."""


class Fills:
    """By scope and key. What has expired is dropped when many are kept.

    Attributes:
        on_return: Called with each that is given back.
    """

    def __init__(self) -> None:
        self._standing: dict[tuple[str, str], _Standing] = {}
        self._before_sweep = _BEFORE_SWEEP
        self.on_return: Callable[[Fill], None] = _nobody

    def __len__(self) -> int:
        return len(self._standing)

    def acquire(self, wanted: Fill, now_us: int) -> Fill | FillHeld:
        """As `domain.response_cache.acquire`; what it gives stands."""
        current = self._standing.get((wanted.scope, wanted.key))
        answer = acquire(None if current is None or current.is_revoked else current.fill, wanted, now_us)
        if answer is wanted:
            self._sweep(now_us)
            self._standing[wanted.scope, wanted.key] = _Standing(wanted)
        return answer

    def hold(self, fill: Fill, now_us: int) -> bool:
        """Whether it is the one that stands, and not revoked."""
        current = self._standing.get((fill.scope, fill.key))
        return current is not None and not current.is_revoked and holds(current.fill, fill, now_us)

    def stand(self, fill: Fill, now_us: int) -> bool:
        """Whether it is the one that stands, revoked or not."""
        current = self._standing.get((fill.scope, fill.key))
        return current is not None and holds(current.fill, fill, now_us)

    def extend(self, fill: Fill, now_us: int, ttl_us: int) -> None:
        """Holds one that stands for `ttl_us` from now."""
        self._standing[fill.scope, fill.key].fill = fill.extended(now_us, ttl_us)

    def drop(self, fill: Fill) -> None:
        """Gives one back, whether it stands or not."""
        current = self._standing.get((fill.scope, fill.key))
        if current is not None and current.fill.is_same(fill):
            del self._standing[fill.scope, fill.key]
        self.on_return(fill)

    def revoke(self, concerns: Callable[[str], bool]) -> None:
        """Revokes those of the scopes that it concerns."""
        for (scope, _), kept in self._standing.items():
            kept.is_revoked = kept.is_revoked or concerns(scope)

    def follow(self, scope: str, key: str, owner: str, now_us: int) -> bool:
        """Whether a fill of `owner` stands; then it is noted that somebody follows."""
        current = self._standing.get((scope, key))
        if current is None or current.fill.owner != owner or not current.fill.is_live(now_us):
            return False
        current.followed_us = now_us
        return True

    def followed_us(self, fill: Fill) -> int | None:
        """When somebody last asked for frames of one that stands."""
        return self._standing[fill.scope, fill.key].followed_us

    def _sweep(self, now_us: int) -> None:
        if len(self._standing) >= self._before_sweep:
            self._standing = {place: kept for place, kept in self._standing.items() if kept.fill.is_live(now_us)}
            self._before_sweep = max(_BEFORE_SWEEP, 2 * len(self._standing))
