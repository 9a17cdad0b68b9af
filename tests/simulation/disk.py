"""The disks of all gateways: real files, of which writes can fail, be torn, or come from a dead process."""

import errno
import os
from pathlib import Path
from typing import Any


class Disk:
    """Stands in for the `os` module where journals are written."""

    def __init__(self) -> None:
        self._paths: dict[int, Path] = {}
        self._dead: set[int] = set()
        self._left: dict[Path, int] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def fill(self, directory: Path, left: int = 0) -> None:
        """Only `left` more bytes can be written there."""
        self._left[directory] = left

    def empty(self, directory: Path) -> None:
        """There is room again."""
        self._left.pop(directory, None)

    @property
    def is_full(self) -> bool:
        """Whether there is no room anywhere."""
        return bool(self._left)

    def kill(self, directory: Path) -> list[int]:
        """Whoever wrote there is dead: none of it arrives any more. Answers what is to be let go, by `release`."""
        mine = [number for number, path in self._paths.items() if path.parent == directory]
        self._dead.update(mine)
        return mine

    def release(self, numbers: list[int]) -> None:
        """Closes the files of a dead process, and with them its locks."""
        for number in numbers:
            self._dead.discard(number)
            if self._paths.pop(number, None) is not None:
                os.close(number)

    def tear(self, directory: Path) -> bool:
        """Leaves half a write at the end of the newest file."""
        files = sorted(directory.glob("*.journal"))
        if not files:
            return False
        with files[-1].open("ab") as file:
            file.write(b"\x01\x40\x00half a frame")
        return True

    def open(self, path: Any, flags: int, mode: int = 0o777) -> int:
        number = os.open(path, flags, mode)
        self._paths[number] = Path(path)
        return number

    def close(self, number: int) -> None:
        if number not in self._dead:
            self._paths.pop(number, None)
            os.close(number)

    def write(self, number: int, data: bytes) -> int:
        if number in self._dead:
            return len(data)
        directory = self._paths[number].parent
        left = self._left.get(directory)
        if left is None:
            return os.write(number, data)
        self._left[directory] = 0
        if left <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os.write(number, data[:left])

    def ftruncate(self, number: int, size: int) -> None:
        if number not in self._dead:
            os.ftruncate(number, size)

    def fsync(self, number: int) -> None:
        """Machines do not die here, processes do."""

    def close_all(self) -> None:
        """At the end of a run."""
        self.release(list(self._paths))
