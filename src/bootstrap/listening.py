"""Sockets to listen on: one for each worker."""

import socket
import sys

from hypercorn.config import Config, Sockets

from bootstrap.configuration_error import ConfigurationError


def listen(config: Config, workers: int = 1) -> list[Sockets]:
    """Bound and listening sockets, an element for each worker: whoever connects from now on is served in a moment.

    Several workers have a queue each, which the kernel fills evenly (SO_REUSEPORT on Linux). Elsewhere they share one:
    measured with four workers and 16 connections opened at once, one of them then took half and two took none.
    Either way the address is nobody else's: a second gateway on it is refused.

    Raises:
        ConfigurationError: The address can't be bound.
    """
    try:
        sockets = [config.create_sockets()]
        if workers > 1 and sys.platform == "linux":
            sockets = _queue_for_each(sockets[0], workers)
        for each in sockets:
            for listening in each.insecure_sockets:
                listening.listen(config.backlog)
    except OSError as error:
        raise ConfigurationError([f"server: can't listen on {config.bind[0]}: {error.strerror or error}"]) from error
    return sockets * workers if len(sockets) == 1 else sockets


def port_of(sockets: Sockets) -> int:
    """The port that was bound, also where any free one was asked for."""
    port: int = sockets.insecure_sockets[0].getsockname()[1]
    return port


def close(sockets: Sockets) -> None:
    """Closes this process's copies."""
    for listening in sockets.insecure_sockets:
        listening.close()


def _queue_for_each(first: Sockets, workers: int) -> list[Sockets]:
    """The same address once for each worker. That `first` had it alone has shown that nobody else listens there."""
    host, port = first.insecure_sockets[0].getsockname()[:2]
    family = first.insecure_sockets[0].family
    close(first)
    address = f"[{host}]:{port}" if family is socket.AF_INET6 else f"{host}:{port}"
    shared = Config()
    shared.bind = [address]
    shared.workers = workers  # what makes Hypercorn set SO_REUSEPORT
    return [shared.create_sockets() for _ in range(workers)]
