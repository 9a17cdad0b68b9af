"""The command line: `moongate`, also `python -m bootstrap`."""

import gc
import importlib.metadata
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import click

from adapters.inbound.cli.admin.root import WithGatewayCommands
from adapters.inbound.cli.admin.surroundings import Surroundings
from adapters.inbound.cli.listing import catalog_tables
from adapters.inbound.cli.one_line_errors import USAGE_STATUS, CommandFailed
from adapters.outbound.system.clock import SystemClock
from bootstrap.announcement import base_url
from bootstrap.configuration_error import ConfigurationError
from bootstrap.data_directory import DEFAULT_DATA_DIR, KEY_FILE
from bootstrap.hangup import Hangup
from bootstrap.settings import (
    BUILT_TYPES,
    CatalogResult,
    Loaded,
    load_settings,
    resolve_mode,
    to_catalog,
)
from domain.redaction import Redactor

_FILE = click.Path(path_type=Path)
_config = click.option(
    "--config",
    "config_path",
    type=_FILE,
    envvar="MOONGATE_CONFIG",
    help="The configuration file; without one all defaults. Also MOONGATE_CONFIG.",
)

_data_dir = click.option(
    "--data-dir",
    type=_FILE,
    envvar="MOONGATE_DATA_DIR",
    default=DEFAULT_DATA_DIR,
    show_default=True,
    help="Where this gateway keeps its own files. Also MOONGATE_DATA_DIR.",
)


def _configured_url(config_path: Path | None) -> str:
    """Where a client on this machine reaches the gateway that `serve` would start."""
    named = {"host": os.environ.get("MOONGATE_HOST"), "port": os.environ.get("MOONGATE_PORT")}
    overrides = {("server", key): value for key, value in named.items() if value}
    with _configuration_errors():
        return base_url(load_settings(config_path, os.environ, overrides).settings)


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """For imports: what they make stays. To look for garbage in it, then and later, is a quarter of the start."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


_SURROUNDINGS = Surroundings(os.environ, _configured_url, lambda data_dir: data_dir / KEY_FILE, DEFAULT_DATA_DIR)


@click.group(cls=WithGatewayCommands, around=_SURROUNDINGS, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Moongate: one OpenAI-compatible endpoint in front of many model providers."""


@cli.command()
@_config
@click.option("--host", envvar="MOONGATE_HOST", help="Where to listen; wins over server.host. Also MOONGATE_HOST.")
@click.option("--port", type=int, envvar="MOONGATE_PORT", help="Wins over server.port. Also MOONGATE_PORT.")
@click.option("--workers", type=int, help="Processes that serve; wins over server.workers.")
@_data_dir
def serve(config_path: Path | None, host: str | None, port: int | None, workers: int | None, data_dir: Path) -> int:
    """Serve until stopped."""
    given = {("server", "host"): host, ("server", "port"): port, ("server", "workers"): workers}
    with Hangup() as hangup, _configuration_errors():
        overrides = {key: value for key, value in given.items() if value is not None}
        loaded = load_settings(config_path, os.environ, overrides)
        _warn(loaded, to_catalog(loaded.settings, BUILT_TYPES))
        decision = resolve_mode(loaded.settings, os.environ)
        with _nothing_collected():
            from bootstrap.server import serve as serve_until_stopped  # noqa: PLC0415 - other commands need no server
            from bootstrap.way_in import require_a_way_in  # noqa: PLC0415 - the same

        require_a_way_in(loaded.settings, decision)

        def reread() -> Loaded:
            again = load_settings(config_path, os.environ, overrides)
            resolve_mode(again.settings, os.environ)
            return again

        return serve_until_stopped(
            loaded.settings,
            data_dir=data_dir,
            environ=os.environ,
            reread=reread,
            warnings=loaded.warnings,
            hangup=hangup,
        )


@cli.command()
@_config
def worker(config_path: Path | None) -> int:
    """Drain usage into the ledger until stopped. Any number of these may run beside the gateways."""
    with _configuration_errors():
        loaded = load_settings(config_path, os.environ)
        decision = resolve_mode(loaded.settings, os.environ)
        with _nothing_collected():
            from bootstrap.usage_worker import drain_until_stopped  # noqa: PLC0415 - other commands need no stores

        return drain_until_stopped(loaded.settings, decision)


@cli.command("check-config")
@click.argument("file", type=_FILE)
def check_config(file: Path) -> None:
    """Say what is wrong or odd in FILE."""
    with _configuration_errors():
        loaded = load_settings(file, os.environ)
        result = to_catalog(loaded.settings, BUILT_TYPES)
        decision = resolve_mode(loaded.settings, os.environ)
        from bootstrap.observation import configured_collector  # noqa: PLC0415 - other commands tell nobody anything
        from bootstrap.stores import open_stores  # noqa: PLC0415 - other commands need no client of any store

        endpoint = loaded.settings.observability.otlp_endpoint
        configured_collector(endpoint, "", "", Redactor(), SystemClock(), str)  # sends nothing, and needs its packages
        open_stores(loaded.settings, decision.mode, SystemClock())  # connects nowhere, and reads the URLs
    _warn(loaded, result)
    instances = list(result.catalog.all_instances())
    click.echo(
        f"{file}: valid. {_counted(len(result.catalog.instances), 'model')}, "
        f"{_counted(len(instances), 'instance')} ({len(result.providers)} enabled), "
        f"{_counted(len(result.catalog.routes), 'route')}."
    )
    click.echo(f"Mode: {decision.mode} ({decision.reason}).")


@cli.command()
@_config
def routes(config_path: Path | None) -> None:
    """Print models, instances and routes."""
    with _configuration_errors():
        loaded = load_settings(config_path, os.environ)
        result = to_catalog(loaded.settings, BUILT_TYPES)
    _warn(loaded, result)
    click.echo(catalog_tables(result.catalog))


@cli.group()
def db() -> None:
    """Look after the database."""


@db.command("upgrade")
@_config
@_data_dir
def upgrade(config_path: Path | None, data_dir: Path) -> None:
    """Bring its tables to this version. Repeated, it changes nothing."""
    with _configuration_errors():
        loaded = load_settings(config_path, os.environ)
        from adapters.outbound.sql.schema import SchemaError  # noqa: PLC0415 - only this needs it
        from bootstrap.database import upgrade_database  # noqa: PLC0415 - as above

        try:
            applied = upgrade_database(loaded.settings, data_dir)
        except SchemaError as error:
            raise CommandFailed([str(error)]) from error
    for name in applied:
        click.echo(f"applied {name}")
    click.echo("The database is up to date.")


@cli.command()
def version() -> None:
    """Print the version."""
    try:
        number = importlib.metadata.version("moongate")
    except importlib.metadata.PackageNotFoundError:
        number = "(not installed)"
    click.echo(f"moongate {number}")


class _configuration_errors:  # noqa: N801 - reads as the context manager it is
    """Turns a configuration that can't be used into lines and exit status 2."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ConfigurationError):
            raise CommandFailed(error.lines, USAGE_STATUS) from error


def _warn(loaded: Loaded, result: CatalogResult) -> None:
    for warning in (*loaded.warnings, *result.warnings):
        click.echo(f"warning: {warning}", err=True)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs the command in `arguments` (the process's own by default) and exits."""
    cli.main(args=None if arguments is None else list(arguments), prog_name="moongate")
