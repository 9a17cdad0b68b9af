from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.outbound.memory.ledger import MemoryLedger
from adapters.outbound.memory.usage_reports import MemoryUsageReports
from adapters.outbound.sql.ledger import SqlLedger
from adapters.outbound.sql.usage_reports import SqlUsageReports
from adapters.testing.ledger_contract import LedgerContract
from adapters.testing.ledger_spent_contract import LedgerSpentContract
from adapters.testing.usage_reports_contract import UsageRecordsContract, UsageTotalsContract
from tests.servers.databases import empty_ledger


class TestMemoryLedger(LedgerContract, LedgerSpentContract, UsageRecordsContract, UsageTotalsContract):
    @pytest.fixture
    def ledger(self) -> MemoryLedger:
        return MemoryLedger()

    @pytest.fixture
    def other_ledger(self, ledger: MemoryLedger) -> MemoryLedger:
        return ledger

    @pytest.fixture
    def reports(self, ledger: MemoryLedger) -> MemoryUsageReports:
        return MemoryUsageReports(ledger)


class SqlLedgerContract(LedgerContract, LedgerSpentContract, UsageRecordsContract, UsageTotalsContract):
    """On the database of the fixture `engine`."""

    @pytest.fixture
    def ledger(self, engine: AsyncEngine) -> SqlLedger:
        return SqlLedger(engine)

    @pytest.fixture
    def other_ledger(self, engine: AsyncEngine) -> SqlLedger:
        return SqlLedger(engine)

    @pytest.fixture
    def reports(self, engine: AsyncEngine) -> SqlUsageReports:
        return SqlUsageReports(engine)


class TestSqliteLedger(SqlLedgerContract):
    @pytest.fixture
    async def engine(self, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
        async with empty_ledger(f"sqlite:///{tmp_path}/ledger.db") as engine:
            yield engine


class TestPostgresLedger(SqlLedgerContract):
    @pytest.fixture
    async def engine(self, postgres_url: str) -> AsyncIterator[AsyncEngine]:
        async with empty_ledger(postgres_url) as engine:
            yield engine
