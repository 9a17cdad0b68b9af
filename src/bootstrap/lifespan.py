"""What runs beside the requests, from the first to the last of them."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Protocol

import httpx
from quart import Quart

from application.caller_gate import CallerGate
from application.endless import Work, keep_going
from application.lease_keeper import LeaseKeeper
from application.ports.clock import Clock
from application.store_watch import StoreWatch
from bootstrap.stores import Stores


class Part(Protocol):
    """Something that has work to do for as long as requests are served."""

    async def open(self) -> None:
        """Before the first request."""

    def works(self) -> dict[str, Work]:
        """What runs; each ends by cancellation."""

    async def close(self) -> None:
        """After the last one, when the works have ended."""


class Lifespan:
    """Starts and ends the background work of one gateway process. Parts end in the opposite order."""

    def __init__(
        self,
        leases: LeaseKeeper,
        gate: CallerGate,
        transport: httpx.AsyncBaseTransport,
        stores: Stores,
        store_watch: StoreWatch,
        clock: Clock,
        parts: Sequence[Part | None] = (),
    ) -> None:
        self._leases = leases
        self._gate = gate
        self._transport = transport
        self._stores = stores
        self._store_watch = store_watch
        self._clock = clock
        self._parts = [part for part in parts if part is not None]
        self._running: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Before the first request. Waits a little for stores; one that stays silent does not keep it from starting."""
        await self._store_watch.meet()
        works: dict[str, Work] = {
            "renewing leases": self._leases.run,
            "renewing slots of callers": self._gate.run,
            "watching stores": self._store_watch.run,
        }
        for part in self._parts:
            await part.open()
            works |= part.works()
        for name, work in works.items():
            self._running.append(asyncio.create_task(keep_going(name, work, self._clock)))

    async def stop(self) -> None:
        """After the last one. A step that fails is told when all others are done."""
        async with AsyncExitStack() as steps:
            steps.push_async_callback(self._stores.aclose)
            steps.push_async_callback(self._transport.aclose)
            for part in self._parts:
                steps.push_async_callback(part.close)
            steps.push_async_callback(self._gate.settle)
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)


def application(app: Quart, lifespan: Lifespan) -> Quart:
    """The app with its background work tied to it."""
    app.before_serving(lifespan.start)
    app.after_serving(lifespan.stop)
    return app
