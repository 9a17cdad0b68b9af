"""The journal in a directory: one file of this process that is written, and those that are only delivered any more."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

from adapters.outbound.system.journal_file import JournalFile
from adapters.outbound.system.locked_file import PREFIX, SUFFIX
from application.ports.usage_journal import JournalEntry, JournalFull, UsageJournal
from domain.usage_record import UsageIntent, UsageRecord

_log = logging.getLogger(__name__)
ROTATE_BYTES = 16 * 1024 * 1024


class SystemUsageJournal:
    """Files are `usage-<pid>-<start in microseconds>.journal`, locked (flock) while their process lives.

    Each file can be understood alone: when one is long, intents under way are written again at the start of the next
    and settled in the old one, in this order. A file goes when all of it is delivered. The directory must be on a
    local disk. Raises OSError where it can't be written at the start.
    """

    def __init__(self, directory: Path, rotate_bytes: int = ROTATE_BYTES) -> None:
        self._directory = directory
        self._rotate_bytes = rotate_bytes
        self._rotate_at_bytes = rotate_bytes
        self._active = JournalFile.create(directory, {})
        self._older: list[JournalFile] = []

    def append_intent(self, intent: UsageIntent) -> None:
        self._rotate_when_long()
        self._active.append_intent(intent.record_id, intent.to_bytes())

    def append_outcome(self, record: UsageRecord) -> None:
        self._active.append_outcome(record.record_id, record.to_bytes())

    def withdraw(self, record_id: str) -> None:
        if self._active.open.pop(record_id, None) is None:
            return
        try:
            self._active.settle([record_id])
        except JournalFull as error:
            _log.warning("an attempt that was never sent may appear in the usage: %s", error)

    def undelivered(self, count: int) -> Sequence[JournalEntry]:
        return self._from_files(JournalFile.hand_out, count)

    def fresh(self, count: int) -> Sequence[JournalEntry]:
        return self._from_files(JournalFile.hand_out_more, count)

    def mark_delivered(self, record_ids: Collection[str]) -> None:
        for file in (*self._older, self._active):
            file.mark(record_ids)
        self._remove_done()

    async def adopt(self) -> int:
        adopted = 0
        for path in sorted(self._directory.glob(f"{PREFIX}*{SUFFIX}")):
            if path in {file.path for file in (*self._older, self._active)}:
                continue
            file = await asyncio.to_thread(_adopt, path)
            if file is not None:
                self._older.insert(0, file)
                adopted += 1
        self._remove_done()
        return adopted

    async def sync(self) -> None:
        try:
            for file in (*self._older, self._active):
                await asyncio.to_thread(file.sync)
        except OSError as error:
            raise JournalFull(f"can't sync the usage journal: {error.strerror}") from error

    def close(self) -> None:
        self._remove_done()
        for file in self._older:
            file.close()
        if self._active.is_done:
            self._active.remove()
        else:
            self._active.close()

    def _from_files(self, ask: Callable[[JournalFile, int], Iterable[JournalEntry]], count: int) -> list[JournalEntry]:
        found: list[JournalEntry] = []
        for file in (*self._older, self._active):
            found.extend(ask(file, count - len(found)))
            if len(found) >= count:
                break
        self._remove_done()
        return found

    def _rotate_when_long(self) -> None:
        if self._active.size_bytes < self._rotate_at_bytes:
            return
        try:
            self._rotate()
        except (OSError, JournalFull) as error:
            _log.warning("the usage journal goes on in a long file: %s", error)
        self._rotate_at_bytes = self._active.size_bytes + self._rotate_bytes

    def _rotate(self) -> None:
        old, new = self._active, JournalFile.create(self._directory, self._active.open)
        try:
            old.settle(old.open)
        except JournalFull:
            new.remove()
            raise
        old.open = {}
        self._older.append(old)
        self._active = new

    def _remove_done(self) -> None:
        for file in [file for file in self._older if file.is_done]:
            self._older.remove(file)
            file.remove()
        if self._active.is_done and self._active.size_bytes:
            self._active.clear()
            self._rotate_at_bytes = self._rotate_bytes


def _adopt(path: Path) -> JournalFile | None:
    try:
        return JournalFile.adopt(path)
    except OSError as error:
        _log.warning("can't adopt the usage journal %s: %s", path, error)
        return None


_conforms: type[UsageJournal] = SystemUsageJournal
