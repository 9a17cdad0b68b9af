from pathlib import Path

import pytest

from adapters.outbound.memory.usage_journal import MemoryUsageJournal
from adapters.outbound.system.usage_journal import SystemUsageJournal
from adapters.testing.usage_journal_contract import OpenJournal, UsageJournalContract


class TestMemoryUsageJournal(UsageJournalContract):
    @pytest.fixture
    def open_journal(self) -> OpenJournal:
        directory: list[MemoryUsageJournal] = []
        return lambda: MemoryUsageJournal(directory)


class TestSystemUsageJournal(UsageJournalContract):
    @pytest.fixture
    def open_journal(self, tmp_path: Path) -> OpenJournal:
        return lambda: SystemUsageJournal(tmp_path)


class TestSystemUsageJournalThatRotates(UsageJournalContract):
    @pytest.fixture
    def open_journal(self, tmp_path: Path) -> OpenJournal:
        return lambda: SystemUsageJournal(tmp_path, rotate_bytes=1)
