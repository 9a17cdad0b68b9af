"""Ports for servers that tests start, and for addresses that nobody answers at.

The kernel gives each socket that asks for any port one of 32,768 and above, so a port that was free there a moment ago
may be another test's server by now. These lie below that range, and each test worker has a stretch of its own.
"""

import contextlib
import itertools
import os
import socket
from collections.abc import Iterator

_FIRST, _PER_WORKER, _WORKERS = 12_000, 500, 16
BUS = 10_000
"""A node of a Cluster also listens this much above its port."""


def _stretch() -> Iterator[int]:
    """The worker's ports, round and round, from a place that another run beside this one hardly begins at."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
    first = _FIRST + worker * _PER_WORKER
    return (first + offset % _PER_WORKER for offset in itertools.count(os.getpid()))


_PORTS = _stretch()


def free_port() -> int:
    """A port that nobody listens on and that no other test is given; connecting to it is refused."""
    for port in itertools.islice(_PORTS, _PER_WORKER):
        with contextlib.suppress(OSError), socket.socket() as own, socket.socket() as bus:
            own.bind(("127.0.0.1", port))
            bus.bind(("127.0.0.1", port + BUS))
            return port
    raise AssertionError(f"all {_PER_WORKER} ports of this test worker are taken")
