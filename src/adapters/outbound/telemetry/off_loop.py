import logging
from collections.abc import Sequence
from contextlib import suppress
from copy import copy
from threading import Lock
from typing import Final, TextIO

from adapters.outbound.telemetry.backlog import CAPACITY, Backlog
from adapters.outbound.telemetry.outlet import Outlet

_FLUSHED_WITHIN_S: Final = 5.0


class FinalRecord(logging.LogRecord):
    """A log record that nothing changes any more, whichever thread comes to write it; it may tell more than text."""

    def fields(self) -> dict[str, object]:
        """What its JSON object has beside time, level and logger."""
        return {"message": self.getMessage()}

    def weight_bytes(self) -> int:
        """What it keeps in memory, where that may be much; never another number."""
        return 0


class OffLoopHandler(logging.Handler):
    """Writes lines in a thread, from `start` to `stop`; before and after that at once, and without waiting.

    Where lines come faster than they can be written (a pipe that nobody reads), they are dropped, and a line tells how
    many. A supervisor, which has no threads, never starts it.
    """

    def __init__(
        self,
        stream: TextIO,
        formatter: logging.Formatter,
        capacity: int = CAPACITY,
        flushed_within_s: float = _FLUSHED_WITHIN_S,
    ) -> None:
        super().__init__()
        self._flushed_within_s = flushed_within_s
        self._outlet = Outlet(stream)
        self.setFormatter(formatter)
        self._formatter = formatter
        self._stream = stream
        self._writing = Lock()
        self._backlog: Backlog[logging.LogRecord] = Backlog("log", self._write, capacity, _weight_bytes)
        self._started = False
        self._told_dropped = 0

    @property
    def dropped(self) -> int:
        """How many lines were not written."""
        return self._backlog.dropped

    def start(self) -> None:
        """From now on nobody waits for standard error. After the fork: threads don't survive it."""
        # What was dropped so far is the supervisor's to tell.
        self._told_dropped = self._backlog.dropped
        self._backlog.start()
        self._started = True

    def stop(self) -> None:
        """Writes what is left, within 5 s. From now on lines are written at once again, or dropped."""
        if self._started:
            self._started = False
            self._backlog.close(self._flushed_within_s)

    def emit(self, record: logging.LogRecord) -> None:
        """Hands it over, or writes it."""
        if not self._started:
            self._write_at_once(record)
        elif isinstance(record, FinalRecord):
            self._backlog.offer(record)
        else:
            self._backlog.offer(_as_it_is_now(record))

    def flush(self) -> None:
        """Called by `logging.shutdown`, at the end of the process."""
        self.stop()

    def _write_at_once(self, record: logging.LogRecord) -> None:
        # Whoever has the lock is a thread that was left alone, because it hangs.
        if not self._writing.acquire(blocking=False):
            self._backlog.dropped += 1
            return
        told = self._told_dropped
        if not self._outlet.put(self._text([record])):
            self._told_dropped = told
            self._backlog.dropped += 1
        self._writing.release()

    def _write(self, records: Sequence[logging.LogRecord]) -> None:
        text = self._text(records)
        # Where standard error is gone or closed, there is nowhere left to say so.
        with self._writing, suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()

    def _text(self, records: Sequence[logging.LogRecord]) -> str:
        lines = [self._line(record) for record in records]
        if self._backlog.dropped > self._told_dropped:
            lines.append(self._line(self._about_dropped()))
        return "".join(lines)

    def _line(self, record: logging.LogRecord) -> str:
        try:
            return f"{self._formatter.format(record)}\n"
        except Exception:  # noqa: BLE001 - a line that can't be made must not end the log
            return f"a line of {record.name}:{record.lineno} can't be formatted\n"

    def _about_dropped(self) -> logging.LogRecord:
        dropped = self._backlog.dropped
        more, self._told_dropped = dropped - self._told_dropped, dropped
        told = "%d log lines were dropped: they came faster than they could be written"
        return logging.LogRecord("moongate.log", logging.ERROR, __file__, 0, told, (more,), None)


def _weight_bytes(record: logging.LogRecord) -> int:
    if isinstance(record, FinalRecord):
        return record.weight_bytes()
    # As `_as_it_is_now` has made it.
    return len(record.msg) + len(record.exc_text or "")


def _as_it_is_now(record: logging.LogRecord) -> logging.LogRecord:
    """With its message made: what it is made of may change before the line is written."""
    fixed = copy(record)
    try:
        fixed.msg = record.getMessage()
    except (TypeError, ValueError):
        fixed.msg = f"{record.msg} (with {record.args!r})"
    fixed.args = None
    if record.exc_info:
        fixed.exc_text = record.exc_text or logging.Formatter().formatException(record.exc_info)
        fixed.exc_info = None
    return fixed
