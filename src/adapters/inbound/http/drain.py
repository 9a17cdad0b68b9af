"""Ending well: what is in flight finishes, within a bound.

When its shutdown trigger returns, Hypercorn closes the listening socket, closes idle connections at once, and waits
for the others up to `graceful_timeout`. That bound doesn't hold everywhere: from Python 3.12.1 on, asyncio's
`Server.wait_closed` first waits for every connection, without limit. So the gateway ends its own requests itself.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from adapters.inbound.http.in_flight import InFlight
from application.draining import Draining

_log = logging.getLogger(__name__)

# Ours comes first, so that handlers end by themselves before the server cancels connections under them.
_LEAD_S = 0.2


def shutdown_trigger(
    requested: Callable[[], Awaitable[object]], draining: Draining, in_flight: InFlight, graceful_timeout_s: float
) -> Callable[[], Awaitable[None]]:
    """A trigger for `hypercorn.asyncio.serve`: returns once `requested` does, and starts the clock of the drain."""

    async def trigger() -> None:
        await requested()
        draining.begin()
        _log.info("draining: %d requests in flight have %g s to finish", len(in_flight), graceful_timeout_s)
        loop = asyncio.get_running_loop()
        loop.call_later(max(0.0, graceful_timeout_s - _LEAD_S), in_flight.cancel_all)

    return trigger
