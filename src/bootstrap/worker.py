"""One worker process, from its own side."""

import logging
import os
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NoReturn

END_NOW = signal.SIGUSR1
"""What a supervisor sends to end what is still in flight. SIGTERM, however often, only begins the drain: a service
manager may send it to every process, and the supervisor sends it on."""

RELOAD = signal.SIGUSR2
"""What a supervisor sends when the configuration is to be read again. SIGHUP is the supervisor's alone: it looks first
whether the file is good, and a terminal that closes tells every process."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Worker:
    """What a worker process has of its supervisor.

    Attributes:
        index: From 0; a worker that takes a dead one's place has its index.
        lifeline: A descriptor that becomes readable (at its end) when the supervisor is gone.
    """

    index: int
    lifeline: int
    ready_pipe: int
    supervisor: int = field(default_factory=os.getppid)

    def tell_ready(self) -> None:
        """Tells the supervisor that requests are served from now on."""
        os.write(self.ready_pipe, b"r")

    def ask_reload(self) -> None:
        """Has the supervisor reload all workers. Without one nothing happens: this process is about to end."""
        if os.getppid() == self.supervisor:
            os.kill(self.supervisor, signal.SIGHUP)


def become_worker(worker: Worker, parents: Iterable[int], work: Callable[[Worker], int]) -> NoReturn:
    """Does the work in this freshly forked process, and ends it. Never returns into what its parent was doing.

    `parents` are descriptors that only the parent may hold. All signals are blocked on entry.
    """
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        for descriptor in parents:
            os.close(descriptor)
        # Until the work has handlers of its own. A terminal sends SIGINT and SIGHUP to every process: not our business.
        for number, handler in _DISPOSITIONS:
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        status = work(worker)
    except Exception as error:  # noqa: BLE001 - the outermost handler of this process
        _log.critical("worker %d failed", worker.index + 1, exc_info=error)
    finally:
        logging.shutdown()
        os._exit(status)


_DISPOSITIONS = (
    (signal.SIGINT, signal.SIG_IGN),
    (signal.SIGHUP, signal.SIG_IGN),
    (signal.SIGCHLD, signal.SIG_DFL),
    (signal.SIGTERM, signal.SIG_DFL),
    (END_NOW, signal.SIG_DFL),
    # It has begun with the newest configuration, or is told when it serves.
    (RELOAD, signal.SIG_IGN),
)
