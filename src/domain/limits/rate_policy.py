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
        rate = f"{caller.name}:rpm"
        if any(limit.name == rate for limit in caller.limits):
            return caller.limits
        return caller.limits + self._of_everybody(caller, endpoint)

    def _of_everybody(self, caller: Caller, endpoint: Endpoint) -> tuple[Limit, ...]:
        own = self.by_endpoint.get(endpoint)
        amount = self.everywhere if own is None else own
        if amount is None:
            return ()
        counted = "any" if own is None else endpoint.value
        return (Limit(f"{caller.name}:rpm:{counted}", LimitKind.REQUESTS, amount, self.algorithm),)
