"""Serving: by this process alone, or by several workers under its eyes."""

import importlib.metadata
import sys
from collections.abc import Mapping
from pathlib import Path

from dependency_injector.providers import Object
from hypercorn.config import Config, Sockets

from adapters.inbound.http.server_config import hypercorn_config
from adapters.inbound.http.use_cases import ProcessFacts
from adapters.outbound.system.clock import SystemClock
from adapters.outbound.telemetry.log import configure_logging
from adapters.outbound.telemetry.metric_board import MetricBoard
from adapters.outbound.telemetry.off_loop import OffLoopHandler
from bootstrap.announcement import announcement
from bootstrap.container import Container
from bootstrap.data_directory import MasterKey, master_key, nobodys_key, prepare_data_directory
from bootstrap.gateway import Ending, run_gateway
from bootstrap.listening import close, listen, port_of
from bootstrap.observation import off_the_loop
from bootstrap.settings import Mode, ModeDecision, Settings, resolve_mode
from bootstrap.settings.secrets import secrets_of
from bootstrap.supervisor import Supervisor
from bootstrap.worker import Worker
from domain.durations import SECOND_US
from domain.redaction import Redactor

_MARGIN_US = 5 * SECOND_US  # beyond the drain, until a worker that hangs is killed


def serve(settings: Settings, *, data_dir: Path, environ: Mapping[str, str]) -> int:
    """Serves until SIGTERM or SIGINT, then drains. A second signal ends at once what is still in flight.

    Returns:
        The exit status: not 0 where a worker could not start, or did not end well.

    Raises:
        ConfigurationError: The address can't be bound, or the data directory or a store's URL can't be used.
    """
    return serve_as(resolve_mode(settings, environ), settings, data_dir=data_dir)


def serve_as(mode: ModeDecision, settings: Settings, *, data_dir: Path) -> int:
    """As `serve`, in a mode that was chosen already."""
    redactor = Redactor(secrets_of(settings))
    log = configure_logging(settings.observability.log_level, settings.observability.log_format, redactor)
    server = settings.server
    config = hypercorn_config(server.host, server.port, server.graceful_timeout_us / SECOND_US)
    # Before the master key: one that is generated is shown once, and only by a start that succeeds.
    sockets = listen(config, server.workers)
    configured = settings.auth.master_key.get_secret_value()
    key = master_key(data_dir, configured) if configured or mode.mode is Mode.LITE else nobodys_key()
    redactor.learn([key.value])
    board = MetricBoard(server.workers)
    container = Container(
        settings=settings,
        master_key=key.value,
        facts=Object(ProcessFacts(mode.mode, mode.reason, _version())),
        data_dir=Object(prepare_data_directory(data_dir)),
        metric_board=Object(board),
        redactor=Object(redactor),
    )
    bound = settings.model_copy(update={"server": server.model_copy(update={"port": port_of(sockets[0])})})
    if server.workers > 1:
        return _supervise(container, config, sockets, bound, key, board, log)
    with off_the_loop(log):
        run_gateway(container, config, sockets[0], Ending.obey_signals, ready=lambda: _announce(bound, key))
    return 0


def _supervise(
    container: Container,
    config: Config,
    sockets: list[Sockets],
    settings: Settings,
    key: MasterKey,
    board: MetricBoard,
    log: OffLoopHandler,
) -> int:
    # Built here once and thrown away, so that what can't be built is said once. Workers build their own.
    container.app()
    # Its lock would be every worker's, and nobody could ever tell that its process is dead.
    container.usage_journal().close()
    container.reset_singletons()

    def work(worker: Worker) -> int:
        board.take(worker.index)
        mine = sockets[worker.index]
        for others in sockets:
            if others is not mine:
                close(others)
        with off_the_loop(log):
            run_gateway(container, config, mine, lambda ending: ending.obey(worker), worker.tell_ready)
        return 0

    def close_all() -> None:
        for each in sockets:
            close(each)

    supervisor = Supervisor(
        work,
        settings.server.workers,
        SystemClock(),
        settings.server.graceful_timeout_us + _MARGIN_US,
        on_ready=lambda: _announce(settings, key),
        on_end=close_all,
        on_gone=board.lost,
    )
    return supervisor.run()


def _announce(settings: Settings, key: MasterKey) -> None:
    print(announcement(settings, key, sys.stdout.isatty()), flush=True)  # noqa: T201 - to the terminal, not to a log


def _version() -> str:
    try:
        return importlib.metadata.version("moongate")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
