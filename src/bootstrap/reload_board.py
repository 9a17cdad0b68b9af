"""Where a supervisor writes what came of a reload, for its workers to read: memory that they share when forked."""

import json
import mmap
from collections.abc import Sequence

from application.reloads import Reload

_BYTES = 65_536
_LONGEST_LINE = 1_000
_MOST_LINES = 20


class ReloadBoard:
    """The last reload, by its number; one writer, any number of readers."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _BYTES)
        self._number = 0

    def write(self, reload: Reload) -> None:
        """In place of the one before. Of very many or very long lines, the first and their beginnings."""
        self._number += 1
        told = [reload.messages, reload.changed, reload.needs_restart, reload.warnings]
        lists = [[line[:_LONGEST_LINE] for line in lines[:_MOST_LINES]] for lines in told]
        while len(written := json.dumps([self._number, reload.at_us, *lists]).encode()) > _BYTES:
            max(lists, key=_length).pop()
        self._memory[:] = written.ljust(_BYTES, b"\0")

    def read(self) -> tuple[int, Reload | None]:
        """0 and None where nothing was written, or while something is being written."""
        try:
            number, at_us, *lists = json.loads(self._memory[:].rstrip(b"\0"))
        except ValueError:
            return 0, None
        return number, Reload(at_us, *map(tuple, lists))


def _length(lines: Sequence[str]) -> int:
    return sum(map(len, lines))
