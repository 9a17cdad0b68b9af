"""Where a supervisor writes what it refused, for its workers to read: memory that they share when they are forked."""

import json
import mmap

from application.reloads import Reload

_BYTES = 65_536
_LONGEST_LINE = 1_000
_MOST_LINES = 20


class RefusalBoard:
    """The last reload that was refused; one writer, any number of readers."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _BYTES)

    def write(self, reload: Reload) -> None:
        """In place of the one before. Of very many or very long lines, the first and their beginnings."""
        lines = [line[:_LONGEST_LINE] for line in reload.messages[:_MOST_LINES]]
        while len(written := json.dumps([reload.at_us, lines]).encode()) > _BYTES:
            lines.pop()
        self._memory[:] = written.ljust(_BYTES, b"\0")

    def read(self) -> Reload | None:
        """None where nothing was refused, or while it is being written."""
        try:
            at_us, lines = json.loads(self._memory[:].rstrip(b"\0"))
        except ValueError:
            return None
        return Reload(at_us, tuple(lines))
