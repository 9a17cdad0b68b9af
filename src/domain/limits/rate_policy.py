"""What a caller's requests have to pass: its own limits, and those that hold for everybody without them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.callers import Caller, CallerKind
from domain.chat import Endpoint
from domain.limits.limit import Algorithm, Limit, LimitKind


@dataclass(frozen=True, slots=True)
class RatePolicy:
    """Limits by endpoint, and one that all endpoints without their own share. None, or absent: no limit.

    Each caller has them to itself. The master key has none.
    """

    algorithm: Algorithm = Algorithm.SLIDING_WINDOW
    everywhere: int | None = None
    by_endpoint: Mapping[Endpoint, int] = field(default_factory=dict)

    def limits_of(self, caller: Caller, endpoint: Endpoint) -> tuple[Limit, ...]:
        """The limits that a request of `caller` has to pass: its own, and by endpoint where its key states no rate."""
        if caller.kind is CallerKind.MASTER:
            return ()
        if any(limit.name == _rate_of(caller) for limit in caller.limits):
            return caller.limits
        return caller.limits + self._of_everybody(caller, endpoint)

    def requests_of(self, caller: Caller) -> tuple[Limit, ...]:
        """What a request has to pass that asks no model: the limits of requests, and no other."""
        if caller.kind is CallerKind.MASTER:
            return ()
        own = tuple(limit for limit in caller.limits if limit.kind is LimitKind.REQUESTS)
        if any(limit.name == _rate_of(caller) for limit in own):
            return own
        return own + self._of_everybody(caller, None)

    def own_of(self, endpoint: Endpoint) -> int | None:
        """The limit that this endpoint, in whatever dialect, has to itself."""
        return self.by_endpoint.get(_COUNTED_AS.get(endpoint, endpoint))

    def _of_everybody(self, caller: Caller, endpoint: Endpoint | None) -> tuple[Limit, ...]:
        own = None if endpoint is None else self.own_of(endpoint)
        amount = self.everywhere if own is None else own
        if amount is None:
            return ()
        counted = "any" if endpoint is None or own is None else _COUNTED_AS.get(endpoint, endpoint).value
        return (Limit(f"{caller.name}:rpm:{counted}", LimitKind.REQUESTS, amount, self.algorithm),)


_COUNTED_AS = {Endpoint.MESSAGES: Endpoint.CHAT, Endpoint.RESPONSES: Endpoint.CHAT}
"""Other words for a chat: whoever changes the dialect has not got another minute."""


def _rate_of(caller: Caller) -> str:
    """How the limit of requests is called that its key states."""
    return f"{caller.name}:rpm"
