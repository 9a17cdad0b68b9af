"""One address, and the sockets that listen there: one for each worker."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from hypercorn.config import Config, Sockets

from bootstrap.configuration_error import ConfigurationError


class Listeners:
    """The address of a gateway, which is nobody else's: a second gateway on it is refused.

    On Linux several workers have a queue of connections each, which the kernel fills evenly (SO_REUSEPORT). Only the
    worker has it, and listens there when it serves: while it starts, drains or is dead, connections go to the others;
    where there is no other, they are refused at once, so that clients and load balancers go elsewhere. A supervisor
    holds the address by a socket that is bound and never listens.

    Elsewhere workers share one queue: measured with four workers and 16 connections opened at once, one of them then
    took half and two took none.
    """

    def __init__(self, held: Sockets, first: Sockets, port: int) -> None:
        self.port = port
        self._held = held
        self._next: Sockets | None = first
        self._workers_bind = _shared_address(held)

    @classmethod
    def bind(cls, config: Config, workers: int = 1) -> Self:
        """Listens: whoever connects from now on is served in a moment. `port` is the one that was bound.

        Raises:
            ConfigurationError: The address can't be bound.
        """
        try:
            held = first = config.create_sockets()
            if workers > 1 and sys.platform == "linux":
                # That it could be bound alone has shown that nobody else listens there.
                address = _shared_address(held)
                _close(held)
                held, first = address.create_sockets(), address.create_sockets()
            for listening in first.insecure_sockets:
                listening.listen(config.backlog)
        except OSError as error:
            raise ConfigurationError(
                [f"server: can't listen on {config.bind[0]}: {error.strerror or error}"]
            ) from error
        return cls(held, first, held.insecure_sockets[0].getsockname()[1])

    @contextmanager
    def next_queue(self) -> Iterator[None]:
        """Within it a worker is forked, which takes the queue; this process keeps nothing of it.

        Raises:
            OSError: There can't be another queue.
        """
        queue = self._next or self._workers_bind.create_sockets()
        self._next = queue
        try:
            yield
        finally:
            if queue is not self._held:
                _close(queue)
                self._next = None

    def take(self) -> Sockets:
        """In the process that is to serve: its queue. It keeps nothing else."""
        if self._next is None:
            raise RuntimeError("a queue is taken by a worker that was forked for it, or by a process alone")
        if self._next is not self._held:
            _close(self._held)
        return self._next

    def close(self) -> None:
        """Gives the address up, as far as this process has it."""
        _close(self._held)
        if self._next is not None:
            _close(self._next)


def _close(sockets: Sockets) -> None:
    for each in sockets.insecure_sockets:
        each.close()


def _shared_address(sockets: Sockets) -> Config:
    """What binds the same address for several."""
    host, port = sockets.insecure_sockets[0].getsockname()[:2]
    family = sockets.insecure_sockets[0].family
    shared = Config()
    shared.bind = [f"[{host}]:{port}" if family is socket.AF_INET6 else f"{host}:{port}"]
    shared.workers = 2  # what makes Hypercorn set SO_REUSEPORT
    return shared
