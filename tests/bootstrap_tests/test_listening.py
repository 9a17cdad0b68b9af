"""One address for several workers, and who gets the connections that come in."""

import errno
import socket

import pytest
from hypercorn.config import Config

from bootstrap.listening import Listeners


def config(port: int = 0) -> Config:
    made = Config()
    made.bind = [f"127.0.0.1:{port}"]
    return made


def connects(port: int) -> bool:
    """Whether somebody's queue takes a connection."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


def test_connections_are_taken_from_the_start_and_none_by_a_worker_that_is_dead() -> None:
    listeners = Listeners.bind(config(), workers=2)
    assert connects(listeners.port)

    with listeners.next_queue():
        pass  # Its worker would be forked here, and has died.

    assert not connects(listeners.port)
    listeners.close()


def test_worker_that_takes_a_dead_ones_place_gets_connections_when_it_listens() -> None:
    listeners = Listeners.bind(config(), workers=2)
    with listeners.next_queue():
        pass

    with listeners.next_queue():
        (mine,) = listeners.take().insecure_sockets
        before = connects(listeners.port)
        mine.listen()
        assert (before, connects(listeners.port)) == (False, True)


def test_address_stays_taken_while_no_worker_lives() -> None:
    listeners = Listeners.bind(config(), workers=2)
    with listeners.next_queue():
        pass

    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", listeners.port))
    listeners.close()


def test_queue_that_can_not_be_made_is_an_error_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    listeners = Listeners.bind(config(), workers=2)
    with listeners.next_queue():
        pass

    def refuse(_self: Config) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(Config, "create_sockets", refuse)
        with pytest.raises(OSError, match="Too many"), listeners.next_queue():
            pass
    with listeners.next_queue():
        pass
    listeners.close()


def test_process_alone_takes_the_queue_that_was_bound() -> None:
    listeners = Listeners.bind(config(), workers=1)

    (mine,) = listeners.take().insecure_sockets

    assert mine.getsockname()[1] == listeners.port
    assert connects(listeners.port)
    mine.close()
