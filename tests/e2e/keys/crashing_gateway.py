"""The command line of the gateway, whose process kills itself at a step that the test names in a file.

The real container with real adapters, each of which has a double around it. Until the file is there, and once it is
empty, nothing happens.
"""

import os
import signal
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from dependency_injector.providers import Singleton

import bootstrap.cli
import bootstrap.server
import bootstrap.usage_worker
from adapters.outbound.redis.budget import RedisBudgets
from adapters.outbound.redis.usage_stream import RedisUsageStream
from adapters.outbound.sql.ledger import SqlLedger
from adapters.outbound.sql.many_rows import insert_rows
from adapters.outbound.system.usage_journal import SystemUsageJournal
from bootstrap.container import Container
from bootstrap.containers.accounting import JOURNALS
from bootstrap.data_directory import DEFAULT_DATA_DIR, prepare_data_directory
from domain.budget.answers import Resolved
from domain.budget.charge import AccountId, AttemptId
from domain.usage_record import UsageIntent, UsageRecord
from tests.e2e.keys.crash_steps import STEP_VARIABLE, Step

_named_in = Path(os.environ[STEP_VARIABLE])


def dies_at(step: Step) -> None:
    """Ends this process as kill -9 does, where the test wants it here."""
    if _named_in.exists() and _named_in.read_text() == step:
        os.kill(os.getpid(), signal.SIGKILL)


class CrashingJournal(SystemUsageJournal):
    def append_intent(self, intent: UsageIntent) -> None:
        dies_at(Step.BEFORE_INTENT)
        super().append_intent(intent)
        dies_at(Step.AFTER_INTENT)

    def append_outcome(self, record: UsageRecord) -> None:
        dies_at(Step.BEFORE_OUTCOME)
        super().append_outcome(record)
        dies_at(Step.AFTER_OUTCOME)

    def mark_delivered(self, record_ids: Collection[str]) -> None:
        if record_ids:
            dies_at(Step.BEFORE_MARK)
        super().mark_delivered(record_ids)
        if record_ids:
            dies_at(Step.AFTER_MARK)


class CrashingBudgets(RedisBudgets):
    async def settle(self, account: AccountId, attempt_id: AttemptId, actual_nano: int) -> Resolved | None:
        dies_at(Step.BEFORE_SETTLE)
        answer = await super().settle(account, attempt_id, actual_nano)
        dies_at(Step.AFTER_SETTLE)
        return answer


class CrashingStream(RedisUsageStream):
    async def append(self, record: bytes, record_id: str) -> bool:
        dies_at(Step.BEFORE_XADD)
        answer = await super().append(record, record_id)
        dies_at(Step.AFTER_XADD)
        return answer

    async def acknowledge(self, record_ids: Sequence[str]) -> int:
        answer = await super().acknowledge(record_ids)
        dies_at(Step.AFTER_ACK)
        return answer


class CrashingLedger(SqlLedger):
    async def insert(self, records: Sequence[UsageRecord]) -> int:
        dies_at(Step.BEFORE_INSERT)
        count = await super().insert(records)
        dies_at(Step.AFTER_COMMIT)
        return count


def _crashing_container(**given: Any) -> Container:
    made = Container(**given)
    directory = prepare_data_directory((made.data_dir() or DEFAULT_DATA_DIR) / JOURNALS)
    shards = made.settings().usage.stream_shards
    made.usage_journal.override(Singleton(CrashingJournal, directory))
    made.budgets.override(Singleton(CrashingBudgets, made.redis_executor, made.redis_prefix))
    made.usage_stream.override(
        Singleton(CrashingStream, made.redis_executor, made.redis_prefix, made.clock, shards=shards)
    )
    made.ledger.override(Singleton(CrashingLedger, made.engine))
    return made


async def _insert_and_die(connection: Any, table: Any, rows: Any, ending: str) -> Any:
    """Of a transaction: rows are in, sums are not."""
    if table.name == "usage_days":
        dies_at(Step.MID_INSERT)
    return await insert_rows(connection, table, rows, ending)


if __name__ == "__main__":
    # A test's private door: the product has none.
    sys.modules["adapters.outbound.sql.ledger"].__dict__["insert_rows"] = _insert_and_die
    vars(bootstrap.server)["Container"] = _crashing_container
    vars(bootstrap.usage_worker).update(SqlLedger=CrashingLedger, RedisUsageStream=CrashingStream)
    bootstrap.cli.main()
