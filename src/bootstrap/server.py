"""Serving: by this process alone, or by several workers under its eyes."""

import importlib.metadata
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dependency_injector.providers import Object
from hypercorn.config import Config

from adapters.inbound.http.server_config import hypercorn_config
from adapters.inbound.http.use_cases import ProcessFacts
from adapters.outbound.system.clock import SystemClock
from adapters.outbound.telemetry.log import configure_logging
from adapters.outbound.telemetry.metric_board import MetricBoard
from adapters.outbound.telemetry.off_loop import OffLoopHandler
from adapters.outbound.telemetry.outlet import Outlet
from bootstrap.announcement import announcement
from bootstrap.container import Container
from bootstrap.data_directory import MasterKey, master_key, nobodys_key, prepare_data_directory
from bootstrap.gateway import Ending, Obey, run_gateway
from bootstrap.group import Group
from bootstrap.hangup import Hangup
from bootstrap.listening import Listeners
from bootstrap.observation import off_the_loop
from bootstrap.reconfiguration import Reread
from bootstrap.settings import Mode, ModeDecision, Settings, resolve_mode
from bootstrap.settings.secrets import secrets_of
from bootstrap.start_report import tell_start
from bootstrap.supervisor import Supervisor
from bootstrap.worker import Worker
from domain.durations import SECOND_US
from domain.redaction import Redactor

_MARGIN_US = 5 * SECOND_US  # beyond the drain, until a worker that hangs is killed


def serve(
    settings: Settings,
    *,
    data_dir: Path,
    environ: Mapping[str, str],
    reread: Reread | None = None,
    warnings: tuple[str, ...] = (),
    hangup: Hangup | None = None,
) -> int:
    """Serves until SIGTERM or SIGINT, then drains. A second signal ends at once what is still in flight.

    SIGHUP reloads the configuration by `reread`, where that is given. `warnings`: what reading it had to say. `hangup`
    has noted SIGHUP so far: then it is reloaded as soon as it is in force.

    Returns:
        The exit status: not 0 where a worker could not start, or did not end well.

    Raises:
        ConfigurationError: The address can't be bound, or the data directory or a store's URL can't be used.
    """
    mode = resolve_mode(settings, environ)
    return serve_as(mode, settings, data_dir=data_dir, reread=reread, warnings=warnings, hangup=hangup)


def serve_as(
    mode: ModeDecision,
    settings: Settings,
    *,
    data_dir: Path,
    reread: Reread | None = None,
    warnings: tuple[str, ...] = (),
    hangup: Hangup | None = None,
) -> int:
    """As `serve`, in a mode that was chosen already."""
    redactor = Redactor(secrets_of(settings))
    log = configure_logging(settings.observability.log_level, settings.observability.log_format, redactor)
    server = settings.server
    config = hypercorn_config(server.host, server.port, server.graceful_timeout_us / SECOND_US, SystemClock())
    # Before the master key: one that is generated is shown once, and only by a start that succeeds.
    listeners = Listeners.bind(config, server.workers)
    configured = settings.auth.master_key.get_secret_value()
    key = master_key(data_dir, configured) if configured or mode.mode is Mode.LITE else nobodys_key()
    redactor.learn([key.value])
    start = _Start(
        _bound(settings, listeners.port), key, warnings, MetricBoard(server.workers), log, hangup or Hangup()
    )
    fixed = {
        "master_key": key.value,
        "facts": Object(ProcessFacts(mode.mode, mode.reason, _version())),
        "data_dir": Object(prepare_data_directory(data_dir)),
        "reread": Object(reread),
        "metric_board": Object(start.board),
        "redactor": Object(redactor),
    }

    def make_container(settings: Settings) -> Container:
        return Container(settings=settings, **fixed)

    if server.workers > 1:
        return _supervise(Group(settings, make_container), config, listeners, start)
    return _run(make_container(settings), config, listeners, start)


def _run(container: Container, config: Config, listeners: Listeners, start: "_Start") -> int:
    def ready() -> None:
        start.announce()
        start.tell(container)

    with off_the_loop(start.log):
        run_gateway(container, config, listeners.take(), Ending.obey_signals, ready)
    return 0


@dataclass(slots=True)
class _Start:
    """What is told once when the first worker serves, and what is made before any is forked."""

    settings: Settings
    key: MasterKey
    warnings: tuple[str, ...]
    board: MetricBoard
    log: OffLoopHandler
    hangup: Hangup
    is_announced: bool = False

    def announce(self) -> None:
        """To the terminal. In the supervisor: workers that are forked from now on have nothing to tell.

        Whatever has to reload listens by now.
        """
        self.is_announced = True
        # Nobody may be there to read it.
        outlet = Outlet(sys.stdout)
        outlet.put(announcement(self.settings, self.key, outlet.is_terminal) + "\n")
        self.hangup.repeat()

    def tell(self, container: Container) -> None:
        """To the log."""
        tell_start(
            container.facts(),
            self.settings,
            container.configured(),
            container.store_watch().said(),
            prices_of=container.shipped_prices().dated,
            warnings=self.warnings,
        )


def _supervise(group: Group, config: Config, listeners: Listeners, start: _Start) -> int:
    group.try_out()
    server = start.settings.server

    def work(worker: Worker) -> int:
        start.board.take(worker.index)
        mine = listeners.take()
        container = group.container_of(worker)

        def ready() -> None:
            worker.tell_ready()
            if not start.is_announced:
                start.tell(container)

        with off_the_loop(start.log):
            run_gateway(container, config, mine, _obedient(worker), ready)
        return 0

    supervisor = Supervisor(
        work,
        server.workers,
        SystemClock(),
        server.graceful_timeout_us + _MARGIN_US,
        on_ready=start.announce,
        on_end=listeners.close,
        on_gone=start.board.lost,
        on_reload=group.reload,
        around_fork=listeners.next_queue,
    )
    return supervisor.run()


def _bound(settings: Settings, port: int) -> Settings:
    """With the port that was taken."""
    return settings.model_copy(update={"server": settings.server.model_copy(update={"port": port})})


def _obedient(worker: Worker) -> Obey:
    return lambda ending, reload: ending.obey(worker, reload)


def _version() -> str:
    try:
        return importlib.metadata.version("moongate")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
