"""What runs beside the requests, from the first to the last of them."""

import asyncio
from contextlib import suppress

import httpx
from quart import Quart

from application.lease_keeper import LeaseKeeper


class Lifespan:
    """Starts and ends the background work of one gateway process."""

    def __init__(self, leases: LeaseKeeper, transport: httpx.AsyncBaseTransport) -> None:
        self._leases = leases
        self._transport = transport
        self._renewing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Before the first request."""
        self._renewing = asyncio.create_task(self._leases.run())

    async def stop(self) -> None:
        """After the last one."""
        if self._renewing is not None:
            self._renewing.cancel()
            with suppress(asyncio.CancelledError):
                await self._renewing
        await self._transport.aclose()


def application(app: Quart, lifespan: Lifespan) -> Quart:
    """The app with its background work tied to it."""
    app.before_serving(lifespan.start)
    app.after_serving(lifespan.stop)
    return app
