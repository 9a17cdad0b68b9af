"""One gateway process: event loop, signals, drain."""

import asyncio
import gc
import logging
import signal
from collections.abc import Callable

import uvloop
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.asyncio.run import worker_serve
from hypercorn.config import Config, Sockets

from adapters.inbound.http.drain import shutdown_trigger
from bootstrap.container import Container
from bootstrap.worker import END_NOW, RELOAD, Worker

_log = logging.getLogger(__name__)

_GC_ALLOCATIONS = 20_000
_GC_GENERATIONS = 20


class Ending:
    """When this process stops taking requests, and when it ends those it has."""

    def __init__(self, cancel_all: Callable[[], None]) -> None:
        self._cancel_all = cancel_all
        self.begun = asyncio.Event()

    def begin(self) -> None:
        """Drains. Repeated, it changes nothing."""
        self.begun.set()

    def hasten(self) -> None:
        """Ends what is still in flight, too."""
        self._cancel_all()
        self.begun.set()

    def next_step(self) -> None:
        """Drains; called again, ends what is still in flight."""
        if self.begun.is_set():
            self._cancel_all()
        self.begun.set()

    def obey_signals(self, reload: Callable[[], None]) -> None:
        """For a process on its own: SIGTERM or SIGINT, a second one is in a hurry; and SIGHUP."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.next_step)
        loop.add_signal_handler(signal.SIGHUP, reload)

    def obey(self, worker: Worker, reload: Callable[[], None]) -> None:
        """For one of several: what the supervisor says, and its death."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.begin)
        loop.add_signal_handler(END_NOW, self.hasten)
        loop.add_signal_handler(RELOAD, reload)

        def orphaned() -> None:
            loop.remove_reader(worker.lifeline)
            _log.error("the supervisor is gone: ending")
            self.begin()

        loop.add_reader(worker.lifeline, orphaned)


Obey = Callable[[Ending, Callable[[], None]], None]
"""Listens to signals: what they end, and what reloads the configuration."""


def run_gateway(container: Container, config: Config, sockets: Sockets, obey: Obey, ready: Callable[[], None]) -> None:
    """Serves on `sockets` until `obey`'s signals end it. `ready` is called when it can take requests."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(container, config, sockets, obey, ready))


async def _serve(container: Container, config: Config, sockets: Sockets, obey: Obey, ready: Callable[[], None]) -> None:
    app = container.app()
    in_flight = container.in_flight()
    ending = Ending(in_flight.cancel_all)
    obey(ending, container.reloading().soon)

    @app.before_serving
    async def _ready() -> None:
        ready()

    # What was made so far stays; the collector need not walk it again with every request.
    gc.collect()
    gc.freeze()
    # A request makes some thousand objects and hardly a cycle: the default of 700 would look for them several times.
    gc.set_threshold(_GC_ALLOCATIONS, _GC_GENERATIONS, _GC_GENERATIONS)
    await worker_serve(
        ASGIWrapper(app),
        config,
        sockets=sockets,
        shutdown_trigger=shutdown_trigger(ending.begun.wait, container.draining(), in_flight, config.graceful_timeout),
    )
