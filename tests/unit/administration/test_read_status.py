"""The gateway's status, whatever is away."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from adapters.outbound.memory.gateway_registry import MemoryGatewayRegistry
from adapters.outbound.memory.usage_journal import MemoryUsageJournal
from adapters.outbound.memory.usage_stream import MemoryUsageStream
from adapters.testing.usage_journal_contract import outcome
from adapters.testing.virtual_time import ManualClock
from application.billing.journaling import Journaling
from application.errors import StateUnavailable
from application.ports.usage_journal import JournalFull
from application.ports.usage_stream import UsageStream
from application.store_watch import StoreWatch
from application.use_cases.admin.status import ReadStatus
from domain.usage_record import UsageRecord
from domain.usage_stream import UsageDepth


class FullJournal(MemoryUsageJournal):
    def append_outcome(self, record: UsageRecord) -> None:
        raise JournalFull(f"no room for {record.record_id}")


class Counted:
    on_the_way = 4
    remembered = 8


class AwayStream:
    async def depth(self) -> UsageDepth:
        raise StateUnavailable("redis is away")


async def at_0001() -> str:
    return "0001"


async def away() -> str:
    raise StateUnavailable("the database is away")


def read_status(
    clock: ManualClock, stream: UsageStream, find_revision: Callable[[], Awaitable[str | None]] | None
) -> ReadStatus:
    journaling = Journaling(FullJournal(), clock)
    journaling.outcome(outcome(1))
    return ReadStatus(
        clock=clock,
        started_us=clock.monotonic_us(),
        store_watch=StoreWatch({}, clock),
        registry=MemoryGatewayRegistry(),
        journaling=journaling,
        deliver=cast("Any", Counted()),
        stream=stream,
        spends=cast("Any", Counted()),
        find_revision=find_revision,
    )


async def test_status_counts_everything_that_is_on_its_way() -> None:
    clock = ManualClock()
    stream = MemoryUsageStream(clock)
    await stream.append(b"x", "r:1")
    ask = read_status(clock, stream, at_0001)
    clock.advance(1_500_000)

    status = await ask()

    assert (status.uptime_us, status.stores, status.gateways, status.schema_revision) == (1_500_000, {}, 1, "0001")
    assert (status.usage.unwritten, status.usage.lost, status.usage.on_the_way) == (1, 0, 4)
    assert (status.usage.stream, status.spends_remembered) == (UsageDepth(1, 0, 0), 8)


@pytest.mark.parametrize("find_revision", [away, None])
async def test_status_of_what_is_away_is_not_known(find_revision: Callable[[], Awaitable[str | None]] | None) -> None:
    status = await read_status(ManualClock(), cast("UsageStream", AwayStream()), find_revision)()

    assert (status.usage.stream, status.schema_revision) == (None, None)
    assert status.usage.on_the_way == 4
