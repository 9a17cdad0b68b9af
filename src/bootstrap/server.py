"""Serving: sockets, event loop, signals, drain."""

import asyncio
import gc
import importlib.metadata
import logging
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import uvloop
from dependency_injector.providers import Object
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.asyncio.run import worker_serve
from hypercorn.config import Config, Sockets

from adapters.inbound.http.drain import shutdown_trigger
from adapters.inbound.http.server_config import hypercorn_config
from adapters.inbound.http.use_cases import ProcessFacts
from adapters.outbound.telemetry.log import configure_logging
from bootstrap.announcement import announcement
from bootstrap.configuration_error import ConfigurationError
from bootstrap.container import Container
from bootstrap.data_directory import MasterKey, master_key
from bootstrap.settings import Settings, resolve_mode

_US_PER_SECOND = 1_000_000
_log = logging.getLogger(__name__)


def serve(settings: Settings, *, data_dir: Path, environ: Mapping[str, str]) -> None:
    """Serves until SIGTERM or SIGINT, then drains. A second signal ends at once what is still in flight.

    Raises:
        ConfigurationError: The address can't be bound, or the data directory can't be used.
    """
    configure_logging(settings.observability.log_level, settings.observability.log_format)
    mode = resolve_mode(settings, environ)
    server = settings.server
    config = hypercorn_config(server.host, server.port, server.graceful_timeout_us / _US_PER_SECOND)
    # Before the master key: one that is generated is shown once, and only by a start that succeeds.
    sockets = _listen(config)
    key = master_key(data_dir, settings.auth.master_key.get_secret_value())
    facts = ProcessFacts(mode.mode, mode.reason, _version())
    container = Container(settings=settings, master_key=key.value, facts=Object(facts))
    port = sockets.insecure_sockets[0].getsockname()[1]
    bound = settings.model_copy(update={"server": server.model_copy(update={"port": port})})
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(container, config, sockets, bound, key))


async def _serve(container: Container, config: Config, sockets: Sockets, settings: Settings, key: MasterKey) -> None:
    app = container.app()
    in_flight = container.in_flight()
    requested = asyncio.Event()

    def end() -> None:
        if requested.is_set():
            in_flight.cancel_all()
        requested.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    # Its own effect would be to kill the process, and with it every request in flight.
    loop.add_signal_handler(signal.SIGHUP, _log.warning, "SIGHUP: this version can't reload; restart it instead")
    print(announcement(settings, key, sys.stdout.isatty()), flush=True)  # noqa: T201 - to the terminal, not to a log
    # What was made so far stays; the collector need not walk it again with every request.
    gc.collect()
    gc.freeze()
    await worker_serve(
        ASGIWrapper(app),
        config,
        sockets=sockets,
        shutdown_trigger=shutdown_trigger(requested.wait, container.draining(), in_flight, config.graceful_timeout),
    )


def _listen(config: Config) -> Sockets:
    """Bound and listening sockets: whoever connects from now on is served, if a moment later."""
    try:
        sockets = config.create_sockets()
        for socket in sockets.insecure_sockets:
            socket.listen(config.backlog)
    except OSError as error:
        raise ConfigurationError([f"server: can't listen on {config.bind[0]}: {error.strerror or error}"]) from error
    return sockets


def _version() -> str:
    try:
        return importlib.metadata.version("moongate")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
