"""What stands before every view: who asks, under which id, within which limits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from hypercorn.typing import HTTPScope

from adapters.inbound.http.answered import OnAnswered
from adapters.inbound.http.authentication import authenticate
from adapters.inbound.http.client_address import Network, client_address
from adapters.inbound.http.in_flight import InFlight
from adapters.inbound.http.receiving import BodyLimits
from adapters.inbound.http.request_headers import RawHeaders
from application.ports.authenticator import Authenticator
from application.ports.clock import Clock
from application.ports.randomness import Randomness
from domain.callers import Caller, CallerKind
from domain.identifiers import RequestId, uuid7

_ID_BITS = 74


@dataclass(frozen=True, slots=True)
class FrontDoor:
    """What stands before every view."""

    authenticator: Authenticator
    clock: Clock
    randomness: Randomness
    limits: BodyLimits = field(default=BodyLimits())
    in_flight: InFlight = field(default_factory=InFlight)
    trusted_proxies: Sequence[Network] = ()
    on_answered: Sequence[OnAnswered] = ()
    keeps_bodies: Callable[[Caller | None, str], bool] | None = None

    def new_request_id(self) -> RequestId:
        """The gateway's own id for a request."""
        return uuid7(self.clock.now_us() // 1_000, self.randomness.bits(_ID_BITS))

    async def caller(self, scope: HTTPScope, headers: RawHeaders) -> Caller | None:
        """Who asks: a key's owner, or an address; None only where the path is open.

        Raises:
            NotAuthenticated: No valid credential.
        """
        caller = await authenticate(self.authenticator, scope["raw_path"], headers)
        if caller is None or caller.kind is not CallerKind.ANONYMOUS:
            return caller
        peer = scope["client"][0] if scope["client"] else None
        return replace(caller, id=client_address(peer, headers, self.trusted_proxies))
