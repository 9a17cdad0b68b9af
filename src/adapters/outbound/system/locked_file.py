"""A file that only grows at its end and that one process holds."""

import errno
import fcntl
import os
import time
from pathlib import Path

from application.ports.usage_journal import JournalFull

SUFFIX = ".journal"
PREFIX = "usage-"


class LockedFile:
    """`size` is where the last whole append ended; a lock is held until `close`, or until the process is dead."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.size = os.fstat(descriptor).st_size
        self._descriptor = descriptor
        self._torn = False
        self._unsynced = False
        self._closed = False

    @classmethod
    def create(cls, directory: Path) -> "LockedFile":
        """A new one that no other process has, nor had. Raises OSError."""
        while True:
            path = directory / f"{PREFIX}{os.getpid()}-{time.time_ns() // 1_000}{SUFFIX}"
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                continue
            # An adopter may see it before it is locked, and remove it.
            if (made := cls._locked(path, descriptor)) is not None:
                return made

    @classmethod
    def take_over(cls, path: Path) -> "LockedFile | None":
        """The file of a dead process; None where its process lives or another one took it. Raises OSError."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
        except FileNotFoundError:
            return None
        return cls._locked(path, descriptor)

    @classmethod
    def _locked(cls, path: Path, descriptor: int) -> "LockedFile | None":
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever had the lock before may have removed the file: then this is one that nobody finds any more.
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return cls(path, descriptor)
        except (BlockingIOError, FileNotFoundError):
            pass
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)
        return None

    def append(self, data: bytes) -> None:
        """All of `data` or, raising JournalFull, nothing of it."""
        try:
            if self._torn:
                self.cut(self.size)
            self._torn = True
            written = os.write(self._descriptor, data)
            while written < len(data):
                written += self._write_rest(data[written:])
        except OSError as error:
            self._heal()
            raise JournalFull(f"can't write to the usage journal {self.path.name}: {error.strerror}") from error
        self._torn = False
        self._unsynced = True
        self.size += len(data)

    def read(self, start: int, count: int) -> bytes:
        """Up to `count` bytes of what was appended."""
        return os.pread(self._descriptor, min(count, self.size - start), start)

    def cut(self, size: int) -> None:
        """Keeps the first `size` bytes. Raises OSError."""
        os.ftruncate(self._descriptor, size)
        self.size = size
        self._torn = False

    def sync(self) -> None:
        """Everything appended is on the disk, under its name. Raises OSError. May run in another thread."""
        if not self._unsynced:
            return
        self._unsynced = False
        try:
            os.fsync(self._descriptor)
            directory = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
        except OSError:
            if self._closed:  # meanwhile: what is removed need not last
                return
            self._unsynced = True
            raise

    def remove(self) -> None:
        """Removes it, then lets go of it: in the other order an adopter could have it."""
        self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Lets go of it."""
        self._closed = True
        self._unsynced = False
        os.close(self._descriptor)

    def _write_rest(self, rest: bytes) -> int:
        written = os.write(self._descriptor, rest)
        if not written:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return written

    def _heal(self) -> None:
        """Takes half a frame away; where that fails, the next append tries first."""
        try:
            self.cut(self.size)
        except OSError:
            self._torn = True
