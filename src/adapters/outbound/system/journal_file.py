"""One file of the usage journal: what it holds, what of it was handed out, and when nothing of it matters any more."""

import logging
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from pathlib import Path

from adapters.outbound.system.journal_frames import Frame, FrameKind, frame, frames
from adapters.outbound.system.locked_file import LockedFile
from application.ports.usage_journal import JournalEntry, JournalFull
from domain.usage_record import UsageIntent

_log = logging.getLogger(__name__)
_BLOCK_BYTES = 256 * 1024


class JournalFile:
    """Memory holds the intents under way and what was handed out; all else is read again from the file.

    Attributes:
        open: Intents without an outcome, as bytes.
    """

    def __init__(self, file: LockedFile, *, adopted: bool = False) -> None:
        self._file = file
        self._adopted = adopted
        self.open: dict[str, bytes] = {}
        self._given_up: dict[str, bytes] = {}
        self._handed: dict[str, bytes] = {}
        self._settled: set[str] = set()
        self._cursor = 0
        self._unreadable = False

    @classmethod
    def create(cls, directory: Path, carried: Mapping[str, bytes]) -> "JournalFile":
        """A new file that starts with the intents `carried`. Raises OSError or JournalFull, leaving none."""
        made = cls(LockedFile.create(directory))
        try:
            if carried:
                made._file.append(b"".join(frame(FrameKind.INTENT, name, body) for name, body in carried.items()))
        except JournalFull:
            made._file.remove()
            raise
        made.open = dict(carried)
        return made

    @classmethod
    def adopt(cls, path: Path) -> "JournalFile | None":
        """A dead process's file, its torn end cut off, its open intents unknown records now. Raises OSError."""
        file = LockedFile.take_over(path)
        if file is None:
            return None
        adopted = cls(file, adopted=True)
        try:
            adopted._recover()
        except BaseException:
            file.close()
            raise
        return adopted

    @property
    def size_bytes(self) -> int:
        """Its length."""
        return self._file.size

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._file.path

    @property
    def is_done(self) -> bool:
        """Whether nothing would be missed without it."""
        waits = self.open or self._given_up or self._handed
        return not waits and self._cursor >= self._file.size and not self._unreadable

    def append_intent(self, record_id: str, body: bytes) -> None:
        """Raises JournalFull."""
        self._file.append(frame(FrameKind.INTENT, record_id, body))
        self.open[record_id] = body

    def append_outcome(self, record_id: str, body: bytes) -> None:
        """Raises JournalFull."""
        self._file.append(frame(FrameKind.OUTCOME, record_id, body))
        self.open.pop(record_id, None)

    def settle(self, record_ids: Collection[str]) -> None:
        """Notes that they need this file no more. Raises JournalFull."""
        if record_ids:
            was_read = self._cursor >= self._file.size
            self._file.append(b"".join(frame(FrameKind.SETTLED, name) for name in record_ids))
            self._cursor = self._file.size if was_read else self._cursor

    def hand_out(self, count: int) -> Iterator[JournalEntry]:
        """Up to `count` records, the oldest first; the same ones until they are marked."""
        self._take(count - len(self._handed))
        return (JournalEntry(name, body, self._adopted) for name, body in islice(self._handed.items(), max(count, 0)))

    def hand_out_more(self, count: int) -> list[JournalEntry]:
        """Up to `count` records that were not handed out yet."""
        return [JournalEntry(name, self._handed[name], self._adopted) for name in self._take(count)]

    def mark(self, record_ids: Collection[str]) -> None:
        """Forgets those that it handed out. A mark that the disk has no room for is a delivery more after a crash."""
        mine = [name for name in record_ids if self._handed.pop(name, None) is not None]
        if self.is_done:
            return
        try:
            self.settle(mine)
        except JournalFull as error:
            _log.warning("delivered usage records were not marked: %s", error)

    def clear(self) -> None:
        """Empties it, where it is done; a disk that refuses is asked again the next time."""
        try:
            self._file.cut(0)
        except OSError as error:
            _log.warning("can't empty the usage journal %s: %s", self.path, error)
        else:
            self._cursor = 0

    def sync(self) -> None:
        """Raises OSError."""
        self._file.sync()

    def remove(self) -> None:
        """Removes it from the disk."""
        self._file.remove()

    def close(self) -> None:
        """Leaves it to an adopter."""
        self._file.close()

    def _take(self, count: int) -> list[str]:
        """Hands out up to `count` more; their ids."""
        taken = list(islice(self._given_up, max(count, 0)))
        for name in taken:
            self._handed[name] = self._given_up.pop(name)
        while len(taken) < count and self._cursor < self._file.size:
            self._read_on(count, taken)
        return taken

    def _read_on(self, count: int, taken: list[str]) -> None:
        start = self._cursor
        for one in self._frames_from(start):
            self._cursor = start + one.end
            if one.kind == FrameKind.OUTCOME and one.id not in self._settled:
                self._handed[one.id] = one.body
                taken.append(one.id)
                if len(taken) >= count:
                    return
        if self._cursor == start:
            _log.error("the usage journal %s is damaged at byte %d; what follows is lost", self.path, start)
            self._cursor = self._file.size

    def _frames_from(self, start: int) -> Iterator[Frame]:
        block = self._file.read(start, _BLOCK_BYTES)
        if next(frames(block), None) is None:  # a frame longer than a block
            block = self._file.read(start, self._file.size)
        return frames(block)

    def _recover(self) -> None:
        end = 0
        for one in frames(self._file.read(0, self._file.size)):
            end = one.end
            self._replay(one)
        if end < self._file.size:
            lost = self._file.size - end
            _log.warning("cut %d torn or damaged bytes off the usage journal %s after byte %d", lost, self.path, end)
            self._file.cut(end)
        self._give_up_open()

    def _replay(self, one: Frame) -> None:
        if one.kind == FrameKind.INTENT:
            self.open[one.id] = one.body
        else:
            self.open.pop(one.id, None)
        if one.kind == FrameKind.SETTLED:
            self._settled.add(one.id)
        else:  # an id that was withdrawn may come again
            self._settled.discard(one.id)

    def _give_up_open(self) -> None:
        """Nobody will see the end of these attempts. Nothing is written: the next adopter would find the same."""
        for name, body in self.open.items():
            try:
                self._given_up[name] = UsageIntent.from_bytes(body).unresolved().to_bytes()
            except ValueError as error:
                self._unreadable = True
                _log.error("kept the usage journal %s: an intent is unreadable: %s", self.path, error)
        self.open.clear()
