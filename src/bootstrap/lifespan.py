"""What runs beside the requests, from the first to the last of them."""

import asyncio
from contextlib import suppress

import httpx
from quart import Quart

from application.caller_gate import CallerGate
from application.lease_keeper import LeaseKeeper
from application.store_watch import StoreWatch
from bootstrap.shared_state import SharedState
from bootstrap.stores import Stores


class Lifespan:
    """Starts and ends the background work of one gateway process."""

    def __init__(
        self,
        leases: LeaseKeeper,
        gate: CallerGate,
        transport: httpx.AsyncBaseTransport,
        stores: Stores,
        store_watch: StoreWatch,
        shared: SharedState | None = None,
    ) -> None:
        self._leases = leases
        self._gate = gate
        self._transport = transport
        self._stores = stores
        self._store_watch = store_watch
        self._shared = shared
        self._running: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Before the first request. Waits a little for stores; one that stays silent does not keep it from starting."""
        await self._store_watch.meet()
        works = [self._leases.run(), self._gate.run(), self._store_watch.run()]
        if self._shared is not None:
            await self._shared.open()
            works += self._shared.works()
        self._running = [asyncio.create_task(endless) for endless in works]

    async def stop(self) -> None:
        """After the last one."""
        for task in self._running:
            task.cancel()
        for task in self._running:
            with suppress(asyncio.CancelledError):
                await task
        await self._gate.settle()
        if self._shared is not None:
            await self._shared.close()
        await self._transport.aclose()
        await self._stores.aclose()


def application(app: Quart, lifespan: Lifespan) -> Quart:
    """The app with its background work tied to it."""
    app.before_serving(lifespan.start)
    app.after_serving(lifespan.stop)
    return app
