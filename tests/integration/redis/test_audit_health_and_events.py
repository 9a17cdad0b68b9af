"""The audit's sections 6.2, 6.3 and 9.2, by gateways that share a Redis."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

import pytest

from adapters.outbound.memory.catalog_source import MemoryCatalogSource
from adapters.outbound.redis.connection import connect
from adapters.outbound.redis.event_history import RedisEventHistory
from adapters.outbound.redis.event_sink import RedisEventSink
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.health_store import RedisHealthStore
from adapters.outbound.redis.instance_control import RedisInstanceControl
from adapters.outbound.redis.lock import RedisLock
from adapters.outbound.redis.lua_scripts import all_scripts
from adapters.outbound.redis.store_breaker import StoreBreaker
from adapters.outbound.system.clock import SystemClock
from adapters.testing.doubles import FakeProviderDirectory, SeededRandomness, SpyEventSink
from adapters.testing.ledger_contract import used
from adapters.testing.routing.harness import A, B
from adapters.testing.scripted_provider import ScriptedProvider, fails
from adapters.testing.virtual_time import EPOCH_US, ManualClock
from application.health.health_rounds import HealthRounds
from application.use_cases.check_health import CheckHealth
from domain.budget.answers import Crossing
from domain.budget.charge import AccountId, BudgetId
from domain.catalog import Catalog, RouterPolicy
from domain.durations import MINUTE_US, SECOND_US
from domain.event_record import KEPT, EventStream
from domain.events import BudgetReached, Event, UsageRecorded
from domain.failure import FailureKind
from domain.health_report import REPORT_TTL_US
from tests.servers.fixtures import PATIENT
from tests.servers.redis_servers import RedisServer

GATEWAYS = 4
INTERVAL_US = 10 * MINUTE_US
HOUR_US = 60 * MINUTE_US
TRIMMED_AT_ONCE = 100
WITHIN_S = 30


@pytest.fixture
async def executor(server: RedisServer) -> AsyncIterator[RedisExecutor]:
    made = RedisExecutor(connect(server.url, PATIENT), all_scripts(), PATIENT, StoreBreaker(SystemClock()))
    async with aclosing(made):
        await made.load()
        yield made


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    return f"{request.node.name}:"


class Gateway:
    """One that checks A and B, and whose clock runs as fast as it can, from hours away from the others'."""

    def __init__(self, executor: RedisExecutor, prefix: str, number: int, upstreams: FakeProviderDirectory) -> None:
        self.clock = ManualClock(EPOCH_US + number * HOUR_US)
        self.health = RedisHealthStore(executor, prefix)
        control = RedisInstanceControl(executor, self.clock, SpyEventSink(), prefix)
        self.rounds = HealthRounds(
            MemoryCatalogSource(Catalog({A.model_name: (A, B)}), RouterPolicy()),
            CheckHealth(upstreams, self.health, control, self.clock),
            RedisLock(executor, prefix),
            self.clock,
            SeededRandomness(number),
            INTERVAL_US,
        )

    async def run_for(self, intervals: int) -> None:
        """Until so many intervals have passed by its own clock, and those of no other."""
        running = asyncio.create_task(self.rounds.run())
        end_us = self.clock.monotonic_us() + intervals * INTERVAL_US
        async with asyncio.timeout(WITHIN_S):
            while self.clock.monotonic_us() < end_us or len(self.rounds.known) < 2:  # noqa: ASYNC110 - time runs so
                await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait([running])


async def test_audit_6_2_gateways_whose_clocks_race_check_once_in_an_interval_of_the_store(
    executor: RedisExecutor, prefix: str
) -> None:
    well, ill = ScriptedProvider(), ScriptedProvider(otherwise=fails(FailureKind.SERVER_ERROR, status=500))
    upstreams = FakeProviderDirectory({A.id: well, B.id: ill})
    gateways = [Gateway(executor, prefix, number, upstreams) for number in range(GATEWAYS)]

    await asyncio.gather(*(gateway.run_for(50) for gateway in gateways))

    assert (well.checked, ill.checked) == (1, 1)
    for gateway in gateways:
        known = {instance_id: report.reachable for instance_id, report in gateway.rounds.known.items()}
        assert known == {A.id: True, B.id: False}


async def test_audit_6_3_a_check_is_stored_by_the_time_of_redis_for_five_minutes(
    executor: RedisExecutor, prefix: str
) -> None:
    gateway = Gateway(executor, prefix, 1, FakeProviderDirectory({A.id: ScriptedProvider(), B.id: ScriptedProvider()}))
    before_us = SystemClock().now_us()

    await gateway.run_for(1)

    report = await gateway.health.of_instance(A.id)
    assert report is not None
    assert before_us - SECOND_US <= report.checked_at_us <= SystemClock().now_us() + SECOND_US
    left_ms = await executor.command("PTTL", f"{prefix}{{h:{A.id}}}")
    assert REPORT_TTL_US // 1_000 < left_ms <= REPORT_TTL_US // 1_000 + 60_000
    found = await gateway.health.of_model(A.model_name)
    assert found.healthy == found.total >= 1


def usage_recorded(number: int) -> Event:
    return UsageRecorded(used(number))


def budget_reached(number: int) -> Event:
    return BudgetReached(AccountId("team:t"), Crossing(BudgetId("team:t"), f"period-{number}", 80, hard=True))


@pytest.mark.parametrize(
    ("stream", "event"), [(EventStream.USAGE, usage_recorded), (EventStream.BUDGET, budget_reached)]
)
async def test_audit_9_2_usage_and_budget_events_are_kept_up_to_about_ten_thousand(
    executor: RedisExecutor, prefix: str, stream: EventStream, event: Callable[[int], Event]
) -> None:
    sink = RedisEventSink(executor, prefix, ManualClock(), SeededRandomness())
    for first in range(0, KEPT + 1_000, 500):
        for number in range(first, first + 500):
            sink.publish(event(number))
        await sink.flush()

    kept = await RedisEventHistory(executor, prefix).last(stream, 2 * KEPT)

    assert sink.dropped == 0
    assert KEPT == 10_000
    assert KEPT <= len(kept) <= KEPT + TRIMMED_AT_ONCE
    fields = kept[0].fields
    assert (fields.get("request_id"), fields.get("period")) in {("r-10999", None), (None, "period-10999")}
