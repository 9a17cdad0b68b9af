"""What runs beside the requests, from the first to the last of them."""

import asyncio
from contextlib import AsyncExitStack

import httpx
from quart import Quart

from application.caller_gate import CallerGate
from application.endless import Work, keep_going
from application.lease_keeper import LeaseKeeper
from application.ports.clock import Clock
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
        clock: Clock,
        shared: SharedState | None = None,
    ) -> None:
        self._leases = leases
        self._gate = gate
        self._transport = transport
        self._stores = stores
        self._store_watch = store_watch
        self._clock = clock
        self._shared = shared
        self._running: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Before the first request. Waits a little for stores; one that stays silent does not keep it from starting."""
        await self._store_watch.meet()
        works: dict[str, Work] = {
            "renewing leases": self._leases.run,
            "renewing slots of callers": self._gate.run,
            "watching stores": self._store_watch.run,
        }
        if self._shared is not None:
            await self._shared.open()
            works |= self._shared.works()
        for name, work in works.items():
            self._running.append(asyncio.create_task(keep_going(name, work, self._clock)))

    async def stop(self) -> None:
        """After the last one. A step that fails is told when all others are done."""
        async with AsyncExitStack() as steps:
            steps.push_async_callback(self._stores.aclose)
            steps.push_async_callback(self._transport.aclose)
            if self._shared is not None:
                steps.push_async_callback(self._shared.close)
            steps.push_async_callback(self._gate.settle)
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)


def application(app: Quart, lifespan: Lifespan) -> Quart:
    """The app with its background work tied to it."""
    app.before_serving(lifespan.start)
    app.after_serving(lifespan.stop)
    return app
