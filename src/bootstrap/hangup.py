import os
import signal
from types import TracebackType
from typing import Self


class Hangup:
    """SIGHUP in a process that can't reload yet, within the context: noted, and not its end.

    Without the context it notes nothing.
    """

    def __init__(self) -> None:
        self._noted = False

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGHUP, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        signal.signal(signal.SIGHUP, self._before or signal.SIG_DFL)

    def _note(self, _number: int, _frame: object) -> None:
        self._noted = True

    def repeat(self) -> None:
        """Tells whoever listens by now."""
        if self._noted:
            self._noted = False
            os.kill(os.getpid(), signal.SIGHUP)
