"""Slots held by running requests. A slot whose holder died comes back when its lease expires."""

from domain.identifiers import LeaseId


class Leases:
    """Live leases by id. Mutable: the store that owns it changes it within one atomic step."""

    __slots__ = ("_earliest_us", "_expires_us")

    def __init__(self) -> None:
        self._expires_us: dict[LeaseId, int] = {}
        self._earliest_us = 0

    def live(self, now_us: int) -> int:
        """How many are held now. Expired ones are dropped on the way."""
        if self._expires_us and now_us >= self._earliest_us:
            self._expires_us = {lease: expires for lease, expires in self._expires_us.items() if expires > now_us}
            self._earliest_us = min(self._expires_us.values(), default=0)
        return len(self._expires_us)

    def take(self, lease: LeaseId, now_us: int, span_us: int) -> None:
        """Holds a slot for `span_us`; extends it where it is held already."""
        self._extend(lease, now_us + span_us)

    def renew(self, lease: LeaseId, now_us: int, span_us: int) -> bool:
        """Extends a live lease; False where it has expired or was never taken."""
        self.live(now_us)
        if lease not in self._expires_us:
            return False
        self._extend(lease, now_us + span_us)
        return True

    def release(self, lease: LeaseId, now_us: int) -> bool:
        """Gives the slot back; False where it was not held (any more)."""
        self.live(now_us)
        return self._expires_us.pop(lease, None) is not None

    def _extend(self, lease: LeaseId, expires_us: int) -> None:
        if not self._expires_us or expires_us < self._earliest_us:
            self._earliest_us = expires_us
        self._expires_us[lease] = expires_us
