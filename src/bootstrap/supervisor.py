"""Several worker processes: started, watched, restarted and ended together.

Workers are forked, not spawned: the settings, sockets and the master key are there already and travel through no
argument, environment or file. That is safe as long as this process runs neither threads nor an event loop.
"""

import logging
import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from application.ports.clock import Clock
from bootstrap.wakeups import Wakeups, wakeups
from bootstrap.worker import END_NOW, RELOAD, Worker, become_worker
from domain.durations import SECOND_US

FIRST_PAUSE_US = SECOND_US // 10
LONGEST_PAUSE_US = 10 * SECOND_US
LIVED_WELL_US = 30 * SECOND_US
_FAILED = 1
_FATAL = frozenset({signal.SIGTERM, signal.SIGINT})

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Running:
    index: int
    pid: int
    ready_pipe: int
    started_us: int
    reloads: int
    ready: bool = False


@dataclass
class Supervisor:
    """Keeps `count` processes at `work`, whose result is their exit status.

    The first is started alone: what keeps it from serving would keep all of them, and is then said once.

    Attributes:
        grace_us: How long workers may take to end by themselves; then they are killed.
        on_ready: Called once, when the first worker serves.
        on_end: Called when the end begins, before the workers are told.
        on_gone: Called with the index of each worker that has ended.
        on_reload: Called on SIGHUP: whether the configuration can be taken over. Workers that start from then on have
            it; the others are told to reload.
        around_fork: Within it each worker is forked. Where it raises OSError, that is tried again later.
    """

    work: Callable[[Worker], int]
    count: int
    clock: Clock
    grace_us: int
    on_ready: Callable[[], None]
    on_end: Callable[[], None]
    on_gone: Callable[[int], None] = lambda _index: None
    on_reload: Callable[[], bool] = lambda: False
    around_fork: Callable[[], AbstractContextManager[None]] = nullcontext
    _running: dict[int, _Running] = field(init=False, default_factory=dict)
    _due_us: dict[int, int] = field(init=False, default_factory=dict)
    _deaths: dict[int, int] = field(init=False, default_factory=dict)
    _lifeline: tuple[int, int] = field(init=False, default=(-1, -1))
    _served: bool = field(init=False, default=False)
    _reloads: int = field(init=False, default=0)
    _kill_at_us: int | None = field(init=False, default=None)
    _status: int = field(init=False, default=0)

    def run(self) -> int:
        """Runs until a signal ends it and all workers are gone; the exit status.

        SIGTERM and SIGINT let the workers drain, a second one ends what is still in flight.
        """
        self._lifeline = os.pipe()
        self._due_us = {0: 0}
        with wakeups() as signals:
            while self._due_us or self._running:
                self._start_due(signals)
                numbers, pipes = signals.wait([each.ready_pipe for each in self._waited_for()], self._pause_s())
                self._note_ready(pipes)
                for number in numbers:
                    self._handle(number)
                self._reap()
                self._kill_late()
        for end in self._lifeline:
            os.close(end)
        return self._status

    @property
    def _ending(self) -> bool:
        return self._kill_at_us is not None

    def _waited_for(self) -> list[_Running]:
        return [each for each in self._running.values() if not each.ready]

    def _pause_s(self) -> float | None:
        instants = [*self._due_us.values(), *([] if self._kill_at_us is None else [self._kill_at_us])]
        return max(0, min(instants) - self.clock.monotonic_us()) / SECOND_US if instants else None

    def _start_due(self, signals: Wakeups) -> None:
        now_us = self.clock.monotonic_us()
        for index in [index for index, at_us in self._due_us.items() if at_us <= now_us]:
            del self._due_us[index]
            self._start(index, signals, now_us)

    def _start(self, index: int, signals: Wakeups, now_us: int) -> None:
        reading, writing = os.pipe()
        unheard = [each.ready_pipe for each in self._running.values()]
        parents = (reading, self._lifeline[1], *signals.descriptors, *unheard)
        # A signal between the fork and the worker's own handlers would be noted by its parent's.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            with self.around_fork():
                pid = os.fork()
                if pid == 0:
                    become_worker(Worker(index, self._lifeline[0], writing), parents, self.work)
        except OSError as error:
            _log.error("worker %d can't be started: %s", index + 1, error.strerror)
            os.close(reading)
            self._due_us[index] = now_us + LONGEST_PAUSE_US
        else:
            self._running[pid] = _Running(index, pid, reading, now_us, self._reloads)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            os.close(writing)

    def _note_ready(self, pipes: list[int]) -> None:
        for each in self._waited_for():
            # At its end without a word: the worker died, which is for `_reap` to tell.
            if each.ready_pipe not in pipes:
                continue
            each.ready = True
            serves = bool(os.read(each.ready_pipe, 1))
            if serves and each.reloads != self._reloads:
                # Told before, it would not have heard.
                os.kill(each.pid, RELOAD)
            if serves and not self._served and not self._ending:
                self._served = True
                self.on_ready()
                self._due_us |= dict.fromkeys(range(1, self.count), 0)

    def _handle(self, number: int) -> None:
        if number == signal.SIGHUP and not self._ending and self.on_reload():
            self._reloads += 1
            self._tell_all(RELOAD)
        if number not in _FATAL:
            return
        if self._ending:
            self._tell_all(END_NOW)
            return
        _log.info("ending %d workers", len(self._running))
        self._kill_at_us = self.clock.monotonic_us() + self.grace_us
        self._due_us.clear()
        self.on_end()
        self._tell_all(signal.SIGTERM)

    def _tell_all(self, number: signal.Signals) -> None:
        for pid in self._running:
            os.kill(pid, number)

    def _kill_late(self) -> None:
        if self._kill_at_us is None or self.clock.monotonic_us() < self._kill_at_us:
            return
        for each in self._running.values():
            _log.error("worker %d (pid %d) does not end: killed", each.index + 1, each.pid)
        self._tell_all(signal.SIGKILL)
        self._kill_at_us += self.grace_us

    def _reap(self) -> None:
        for each in list(self._running.values()):
            pid, code = os.waitpid(each.pid, os.WNOHANG)
            if pid:
                del self._running[each.pid]
                os.close(each.ready_pipe)
                self.on_gone(each.index)
                self._bury(each, os.waitstatus_to_exitcode(code))

    def _bury(self, dead: _Running, code: int) -> None:
        if self._ending:
            # Before it has its handlers, a signal ends a worker by itself.
            if code not in {0, -signal.SIGTERM, -END_NOW}:
                _log.error("worker %d (pid %d) %s", dead.index + 1, dead.pid, _ended(code))
                self._status = _FAILED
            return
        if not self._served:
            _log.critical("worker %d (pid %d) %s before it could serve", dead.index + 1, dead.pid, _ended(code))
            self._status = code if code > 0 else _FAILED
            return
        self._restart_later(dead, code)

    def _restart_later(self, dead: _Running, code: int) -> None:
        now_us = self.clock.monotonic_us()
        deaths = 0 if now_us - dead.started_us >= LIVED_WELL_US else self._deaths.get(dead.index, 0)
        self._deaths[dead.index] = deaths + 1
        pause_us = min(LONGEST_PAUSE_US, FIRST_PAUSE_US * 2 ** min(deaths, 10))
        self._due_us[dead.index] = now_us + pause_us
        what = _ended(code)
        _log.error(
            "worker %d (pid %d) %s; another starts in %g s", dead.index + 1, dead.pid, what, pause_us / SECOND_US
        )


def _ended(code: int) -> str:
    if code >= 0:
        return f"ended with status {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
