import errno
import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.outbound.system import journal_file
from adapters.outbound.system.journal_frames import FrameKind, frame
from adapters.outbound.system.locked_file import LockedFile
from adapters.outbound.system.usage_journal import SystemUsageJournal
from adapters.testing.usage_journal_contract import intent, outcome, waiting, write
from application.ports.usage_journal import JournalFull
from domain.usage_record import UsageRecord

DEAD = "usage-1-1.journal"


def whole(number: int) -> bytes:
    return frame(FrameKind.OUTCOME, outcome(number).record_id, outcome(number).to_bytes())


def files(directory: Path) -> list[Path]:
    return sorted(directory.iterdir())


async def left_by(directory: Path, data: bytes) -> list[UsageRecord]:
    """What an adopter delivers of a dead process's file."""
    (directory / DEAD).write_bytes(data)
    journal = SystemUsageJournal(directory)
    await journal.adopt()
    found = waiting(journal)
    journal.mark_delivered([record.record_id for record in found])
    journal.close()
    return found


async def test_a_last_frame_torn_at_any_byte_costs_nothing_before_it(tmp_path: Path) -> None:
    before, last = whole(1), whole(2)

    for cut in range(len(last)):
        assert await left_by(tmp_path, before + last[:cut]) == [outcome(1)], cut
    assert await left_by(tmp_path, before + last) == [outcome(1), outcome(2)]


async def test_a_flipped_bit_ends_the_file_there(tmp_path: Path) -> None:
    first, second = whole(1), whole(2)

    for at in range(len(second)):
        damaged = bytearray(first + second + whole(3))
        damaged[len(first) + at] ^= 1 << (at % 8)
        assert await left_by(tmp_path, bytes(damaged)) == [outcome(1)], at


async def test_a_tail_of_zeros_is_no_frame(tmp_path: Path) -> None:
    assert await left_by(tmp_path, whole(1) + bytes(4_096)) == [outcome(1)]


async def test_what_is_cut_is_said_in_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    await left_by(tmp_path, whole(1) + whole(2)[:-5])

    (line,) = caplog.records
    assert line.levelno == logging.WARNING
    assert f"cut {len(whole(2)) - 5} torn or damaged bytes" in line.getMessage()


async def test_the_torn_tail_is_cut_before_anything_follows(tmp_path: Path) -> None:
    (tmp_path / DEAD).write_bytes(whole(1) + whole(2) + whole(3)[:-1])
    adopter, heir = SystemUsageJournal(tmp_path), SystemUsageJournal(tmp_path)
    await adopter.adopt()
    waiting(adopter)
    adopter.mark_delivered(["r-0001:1"])
    adopter.close()

    await heir.adopt()
    assert waiting(heir) == [outcome(2)]


async def test_an_intent_that_can_not_be_read_keeps_its_file(tmp_path: Path) -> None:
    strange = frame(FrameKind.INTENT, "r-0009:1", b'{"v":99}')

    assert await left_by(tmp_path, whole(1) + strange) == [outcome(1)]
    assert [file.name for file in files(tmp_path)] == [DEAD]


async def test_a_file_goes_when_all_of_it_is_delivered(tmp_path: Path) -> None:
    assert await left_by(tmp_path, whole(1)) == [outcome(1)]

    assert files(tmp_path) == []


async def test_files_that_are_no_journals_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "master_key").write_bytes(b"secret")
    (tmp_path / "usage-1.journal.bak").write_bytes(whole(1))

    assert await SystemUsageJournal(tmp_path).adopt() == 0


def test_a_journal_is_for_its_owner_alone(tmp_path: Path) -> None:
    journal = SystemUsageJournal(tmp_path)

    (file,) = files(tmp_path)
    assert file.name.startswith(f"usage-{os.getpid()}-")
    assert file.stat().st_mode & 0o077 == 0
    journal.close()


def test_files_stay_few_and_short_while_records_are_delivered(tmp_path: Path) -> None:
    journal = SystemUsageJournal(tmp_path, rotate_bytes=5_000)
    journal.append_intent(intent(999))
    for number in range(200):
        write(journal, number)
        assert waiting(journal) == [outcome(number)]
        journal.mark_delivered([outcome(number).record_id])
        assert sum(file.stat().st_size for file in files(tmp_path)) < 10_000


def test_a_delivered_journal_is_empty_on_the_disk(tmp_path: Path) -> None:
    journal = SystemUsageJournal(tmp_path)
    write(journal, 1, 2)
    waiting(journal)
    journal.mark_delivered(["r-0001:1"])
    journal.mark_delivered(["r-0002:1"])

    assert [file.stat().st_size for file in files(tmp_path)] == [0]
    write(journal, 3)
    assert waiting(journal) == [outcome(3)]


async def test_an_intent_outlives_the_file_it_began_in(tmp_path: Path) -> None:
    journal, heir = SystemUsageJournal(tmp_path, rotate_bytes=2_000), SystemUsageJournal(tmp_path)
    journal.append_intent(intent(0))
    write(journal, *range(1, 20))
    journal.append_outcome(outcome(0))
    journal.append_intent(intent(20))
    assert len(files(tmp_path)) > 3
    journal.close()

    await heir.adopt()
    found = {record.record_id: record for record in waiting(heir)}
    assert found == {one.record_id: one for one in [*map(outcome, range(20)), intent(20).unresolved()]}


def test_records_longer_than_a_block_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_file, "_BLOCK_BYTES", 50)
    journal = SystemUsageJournal(tmp_path)
    write(journal, 1, 2, 3)

    assert waiting(journal) == [outcome(1), outcome(2), outcome(3)]


async def test_an_intent_in_two_files_after_a_crash_is_the_same_record_twice(tmp_path: Path) -> None:
    carried = frame(FrameKind.INTENT, "r-0001:1", intent(1).to_bytes())
    (tmp_path / DEAD).write_bytes(carried)
    (tmp_path / "usage-1-2.journal").write_bytes(carried)
    journal = SystemUsageJournal(tmp_path)

    assert await journal.adopt() == 2
    assert waiting(journal) == [intent(1).unresolved()] * 2
    journal.mark_delivered(["r-0001:1"])
    assert waiting(journal) == []
    assert len(files(tmp_path)) == 1


async def test_a_file_removed_before_its_turn_needs_no_sync(tmp_path: Path) -> None:
    file = LockedFile.create(tmp_path)
    file.append(whole(1))
    file.remove()

    file.sync()


class Disk:
    """os.write with room for so many bytes; None is endless. `step` is how many one write takes at most."""

    def __init__(self, write_bytes: Callable[[int, bytes], int]) -> None:
        self._write_bytes = write_bytes
        self.room: int | None = None
        self.step = 1 << 30

    def write(self, descriptor: int, data: bytes) -> int:
        data = data[: self.step]
        if self.room is not None:
            if not self.room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            data = data[: self.room]
            self.room -= len(data)
        return self._write_bytes(descriptor, data)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk(os.write)
    monkeypatch.setattr(os, "write", disk.write)
    return disk


async def test_half_writes_are_completed(tmp_path: Path, disk: Disk) -> None:
    disk.step = 7
    journal, heir = SystemUsageJournal(tmp_path), SystemUsageJournal(tmp_path)
    write(journal, 1, 2)
    journal.close()

    await heir.adopt()
    assert waiting(heir) == [outcome(1), outcome(2)]


async def test_a_full_disk_is_an_error_that_hides_nothing(tmp_path: Path, disk: Disk) -> None:
    journal, heir = SystemUsageJournal(tmp_path), SystemUsageJournal(tmp_path)
    write(journal, 1)
    for disk.room in (0, 1, 9, 100):
        with pytest.raises(JournalFull, match="No space left"):
            journal.append_outcome(outcome(2))
        with pytest.raises(JournalFull, match="No space left"):
            journal.append_intent(intent(3))
    disk.room = None
    write(journal, 4)
    assert waiting(journal) == [outcome(1), outcome(4)]
    journal.close()

    await heir.adopt()
    assert waiting(heir) == [outcome(1), outcome(4)]


async def test_an_outcome_that_found_no_room_can_be_tried_again(tmp_path: Path, disk: Disk) -> None:
    journal = SystemUsageJournal(tmp_path)
    journal.append_intent(intent(1))
    disk.room = 10
    with pytest.raises(JournalFull):
        journal.append_outcome(outcome(1))
    disk.room = None
    journal.append_outcome(outcome(1))

    assert waiting(journal) == [outcome(1)]


async def test_a_half_frame_that_stays_is_cut_before_the_next(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_descriptor: int, _size: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    journal, heir = SystemUsageJournal(tmp_path), SystemUsageJournal(tmp_path)
    write(journal, 1)
    with monkeypatch.context() as broken:
        broken.setattr(os, "ftruncate", refuse)
        disk.room = 50
        with pytest.raises(JournalFull):
            journal.append_outcome(outcome(2))
        disk.room = None
        with pytest.raises(JournalFull, match="Input/output error"):
            journal.append_outcome(outcome(2))
        assert waiting(journal) == [outcome(1)]
    write(journal, 3)
    journal.close()

    await heir.adopt()
    assert waiting(heir) == [outcome(1), outcome(3)]


@pytest.mark.parametrize("room", [10, len(frame(FrameKind.INTENT, "r-0002:1", intent(2).to_bytes())) + 10])
async def test_without_room_to_rotate_the_journal_goes_on(tmp_path: Path, disk: Disk, room: int) -> None:
    journal = SystemUsageJournal(tmp_path, rotate_bytes=1_300)
    write(journal, 1)
    journal.append_intent(intent(2))
    disk.room = room
    with pytest.raises(JournalFull):
        journal.append_intent(intent(3))
    disk.room = None
    assert len(files(tmp_path)) == 1
    journal.append_outcome(outcome(2))

    assert waiting(journal) == [outcome(1), outcome(2)]


def test_a_mark_without_room_holds_for_this_process(tmp_path: Path, disk: Disk) -> None:
    journal = SystemUsageJournal(tmp_path)
    write(journal, 1, 2)
    waiting(journal)
    disk.room = 0
    journal.mark_delivered(["r-0001:1"])

    assert waiting(journal) == [outcome(2)]


async def test_a_sync_that_fails_says_so_and_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def refuse(descriptor: int) -> None:
        calls.append(descriptor)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", refuse)
    journal = SystemUsageJournal(tmp_path)
    await journal.sync()
    assert calls == []
    write(journal, 1)
    for _ in range(2):
        with pytest.raises(JournalFull, match="sync"):
            await journal.sync()
    assert len(calls) == 2


def test_a_file_that_was_removed_while_it_was_opened_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / DEAD
    path.write_bytes(whole(1))
    opened = os.open

    def removed_meanwhile(name: Path, flags: int) -> int:
        descriptor = opened(name, flags)
        path.unlink()
        return descriptor

    monkeypatch.setattr(os, "open", removed_meanwhile)

    assert LockedFile.take_over(path) is None
