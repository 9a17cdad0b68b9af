from contextlib import suppress

from application.errors import StateUnavailable
from application.ports.clock import Clock
from application.ports.routing import Routing
from domain.catalog import Instance
from domain.durations import SECOND_US
from domain.identifiers import LeaseId

LEASE_US = 30 * SECOND_US
_RENEW_EVERY_US = LEASE_US // 3


class LeaseKeeper:
    """Keeps the leases of running attempts alive.

    A lease lasts 30 s, so that the slots of a killed process come back soon; what runs longer is renewed.
    """

    def __init__(self, routing: Routing, clock: Clock) -> None:
        self._routing = routing
        self._clock = clock
        self._held: dict[LeaseId, Instance] = {}

    @property
    def held(self) -> int:
        """How many attempts are running."""
        return len(self._held)

    def keep(self, lease_id: LeaseId, instance: Instance) -> None:
        """From now on, until `drop`."""
        self._held[lease_id] = instance

    def drop(self, lease_id: LeaseId) -> None:
        """The attempt is over."""
        self._held.pop(lease_id, None)

    async def run(self) -> None:
        """Renews for ever; ends by cancellation."""
        while True:
            await self._clock.sleep(_RENEW_EVERY_US)
            if self._held:
                # A store that is away keeps nothing from running; the next round may find it back in time.
                with suppress(StateUnavailable):
                    await self._routing.renew(dict(self._held), LEASE_US)
