"""What the audit asks of gateways that share a Redis: two of them, with real clocks, on one server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass

import pytest

from adapters.outbound.redis.admission import RedisAdmission
from adapters.outbound.redis.budget import RedisBudgets
from adapters.outbound.redis.connection import connect
from adapters.outbound.redis.event_history import RedisEventHistory
from adapters.outbound.redis.event_sink import RedisEventSink
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.health_store import RedisHealthStore
from adapters.outbound.redis.instance_control import RedisInstanceControl
from adapters.outbound.redis.lock import RedisLock
from adapters.outbound.redis.lua_scripts import all_scripts
from adapters.outbound.redis.response_cache import RedisResponseCache
from adapters.outbound.redis.routing import RedisRouting
from adapters.outbound.redis.store_breaker import StoreBreaker
from adapters.outbound.redis.usage_stream import RedisUsageStream
from adapters.outbound.system.clock import SystemClock
from adapters.outbound.system.randomness import SystemRandomness
from adapters.testing.admission.harness import rpm
from adapters.testing.budget_support import Desk
from adapters.testing.routing.harness import CONFIG, LEASE_US, instance, ordered, weighted
from adapters.testing.virtual_time import ManualClock
from application.locking import LockTaken, hold, try_acquire
from domain.budget.answers import Refused, Reserved
from domain.catalog import Instance
from domain.durations import SECOND_US
from domain.event_record import EventStream
from domain.events import CircuitChanged
from domain.health_report import HealthReport
from domain.identifiers import InstanceId, LeaseId, ModelName, RequestId
from domain.latency import LatencyKind
from domain.limits.admission import CallerAdmissionRequest, CallerAdmitted
from domain.resilience.circuit_breaker import CircuitState, Transition
from domain.resilience.outcome import Outcome
from domain.response_cache import CachedReply, Fill, FillHeld
from domain.routing.admission import AdmissionRequest, Admitted
from domain.routing.decision import Exclusion
from domain.routing.report import AttemptReport
from domain.routing.strategy import Node
from tests.servers.fixtures import PATIENT
from tests.servers.redis_servers import RedisServer

A, B = instance("a"), instance("b")
CLOCK, RANDOMNESS = SystemClock(), SystemRandomness()


@dataclass
class Gateway:
    """What one process would have of the shared state."""

    executor: RedisExecutor
    prefix: str
    taken: int = 0

    def __post_init__(self) -> None:
        self.events = RedisEventSink(self.executor, self.prefix, CLOCK, RANDOMNESS)
        self.routing = RedisRouting(self.executor, CONFIG, CLOCK, self.events, self.prefix)
        self.control = RedisInstanceControl(self.executor, CLOCK, self.events, self.prefix)
        self.lock = RedisLock(self.executor, self.prefix)
        self.name = f"{id(self):x}"

    async def attempt(self, plan: Node, outcome: Outcome = Outcome.SUCCESS, latency_us: int | None = None) -> str:
        """One attempt from its admission to its report; who served it."""
        self.taken += 1
        lease_id = LeaseId(f"{self.name}-{self.taken}")
        admitted = await self.routing.admit(AdmissionRequest(lease_id, plan, 0, LEASE_US))
        assert isinstance(admitted, Admitted), admitted
        self.routing.report(
            AttemptReport(
                lease_id,
                admitted.instance,
                admitted.generation,
                admitted.probe,
                admitted.bucket_s,
                outcome,
                LatencyKind.WHOLE,
                latency_us,
                slow=False,
                tokens_reserved=0,
                tokens_actual=0,
                jitter=1.0,
            )
        )
        await self.routing.settle()
        return str(admitted.instance.id)

    async def latency_us(self, member: Instance) -> int | None:
        """Its expected latency, freshly asked for."""
        await self.routing.refresh([member])
        return self.routing.view(member, LatencyKind.WHOLE).latency_us


@pytest.fixture
async def fleet(server: RedisServer, request: pytest.FixtureRequest) -> AsyncIterator[tuple[Gateway, Gateway]]:
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(2):
            executor = RedisExecutor(connect(server.url, PATIENT), all_scripts(), PATIENT, StoreBreaker(CLOCK))
            made.append(Gateway(await stack.enter_async_context(aclosing(executor)), f"{request.node.name}:"))
            await executor.load()
        yield made[0], made[1]


async def test_audit_9_1_only_the_owner_of_a_lock_releases_or_extends_it(fleet: tuple[Gateway, Gateway]) -> None:
    one, other = fleet
    assert await one.lock.acquire("job", "me", 10 * SECOND_US) is not None

    assert await other.lock.acquire("job", "you", 10 * SECOND_US) is None
    assert not await other.lock.release("job", "you")
    assert not await other.lock.extend("job", "you", 10 * SECOND_US)
    assert await one.lock.extend("job", "me", 10 * SECOND_US)
    assert await one.lock.release("job", "me")
    assert await other.lock.acquire("job", "you", 10 * SECOND_US) is not None


async def test_audit_9_1_a_lock_whose_owner_died_expires(fleet: tuple[Gateway, Gateway]) -> None:
    one, other = fleet
    held = await one.lock.acquire("job", "dead", SECOND_US // 10)

    tenure = await try_acquire(
        other.lock, CLOCK, RANDOMNESS, "job", "next", SECOND_US, retries=50, delay_us=SECOND_US // 50
    )

    assert held is not None
    assert tenure is not None
    assert tenure.fence > held.fence


async def test_audit_9_1_a_lock_is_tried_as_often_as_asked_and_then_given_up(fleet: tuple[Gateway, Gateway]) -> None:
    one, other = fleet
    await one.lock.acquire("job", "me", 30 * SECOND_US)

    assert await try_acquire(other.lock, CLOCK, RANDOMNESS, "job", "you", SECOND_US, retries=2, delay_us=1_000) is None


async def test_audit_9_1_work_under_a_lock_is_done_by_one_and_leaves_it_free(fleet: tuple[Gateway, Gateway]) -> None:
    one, other = fleet
    async with hold(one.lock, CLOCK, RANDOMNESS, "job", SECOND_US) as tenure:
        with pytest.raises(LockTaken):
            await hold(other.lock, CLOCK, RANDOMNESS, "job", SECOND_US).__aenter__()
        assert not tenure.is_lost()

    async with hold(other.lock, CLOCK, RANDOMNESS, "job", SECOND_US) as later:
        assert later.fence > tenure.fence


async def test_audit_9_2_events_of_all_gateways_are_in_one_history(fleet: tuple[Gateway, Gateway]) -> None:
    opened = Transition(CircuitState.CLOSED, CircuitState.OPEN, "failure_rate", CLOCK.now_us())
    for number, gateway in enumerate(fleet):
        gateway.events.publish(CircuitChanged(InstanceId(f"i{number}"), opened))
        await gateway.events.flush()

    for gateway in fleet:
        seen = await RedisEventHistory(gateway.executor, gateway.prefix).last(EventStream.CIRCUIT, 10)
        assert [record.fields["instance_id"] for record in seen] == ["i1", "i0"]


async def test_audit_9_3_percentiles_are_those_of_all_gateways_and_all_samples(fleet: tuple[Gateway, Gateway]) -> None:
    one, other = fleet
    for _ in range(30):
        await one.attempt(ordered(A), latency_us=100_000)
        await other.attempt(ordered(A), latency_us=900_000)

    for gateway in fleet:
        (report,) = await gateway.control.inspect([A])
        seen = report.latency[LatencyKind.WHOLE]
        assert seen.count == 60
        assert seen.p50_us == pytest.approx(100_000, rel=0.02)
        assert seen.p95_us == pytest.approx(900_000, rel=0.02)
        assert seen.p99_us == pytest.approx(900_000, rel=0.02)


async def test_audit_9_3_the_estimate_decays_with_time_and_not_with_each_sample(fleet: tuple[Gateway, Gateway]) -> None:
    one, other = fleet
    await one.attempt(ordered(A), latency_us=900_000)
    for _ in range(20):
        await other.attempt(ordered(A), latency_us=100_000)

    # A tenth of the old value for each sample would have left 20 ms of the difference by now.
    estimate_us = await one.latency_us(A)
    assert estimate_us is not None
    assert estimate_us > 600_000


async def test_audit_10_issue_1_turns_are_one_sequence_of_all_gateways(fleet: tuple[Gateway, Gateway]) -> None:
    plan = weighted((A, 5), (B, 1), (instance("c"), 1))

    picked = [await fleet[number % 2].attempt(plan) for number in range(14)]

    assert "".join(picked) == "aabacaa" * 2


async def test_audit_10_issue_2_what_failed_for_one_gateway_is_out_for_all(fleet: tuple[Gateway, Gateway]) -> None:
    one, other = fleet
    for _ in range(CONFIG.consecutive_failures):
        await one.attempt(ordered(A), Outcome.FAILURE)

    answer = await other.routing.admit(AdmissionRequest(LeaseId("next"), ordered(A, B), 0, LEASE_US))

    assert isinstance(answer, Admitted)
    assert answer.instance == B
    assert [refusal.reason for refusal in answer.refusals] == [Exclusion.CIRCUIT_OPEN]


async def test_audit_10_issue_3_latency_is_known_by_instance_and_not_by_model(fleet: tuple[Gateway, Gateway]) -> None:
    one, other = fleet
    await one.attempt(ordered(A), latency_us=100_000)
    await one.attempt(ordered(B), latency_us=900_000)

    fast_us, slow_us = await other.latency_us(A), await other.latency_us(B)

    assert A.model_name == B.model_name
    assert fast_us == pytest.approx(100_000, rel=0.05)
    assert slow_us == pytest.approx(900_000, rel=0.05)


async def test_audit_10_limits_are_counted_once_for_all_gateways(fleet: tuple[Gateway, Gateway]) -> None:
    admissions = [RedisAdmission(gateway.executor, gateway.prefix) for gateway in fleet]
    requests = [CallerAdmissionRequest(RequestId(f"r{n}"), "team", (rpm(25),), 0, LEASE_US) for n in range(60)]

    answers = await asyncio.gather(*(admissions[n % 2].admit(request) for n, request in enumerate(requests)))

    assert sum(isinstance(answer, CallerAdmitted) for answer in answers) == 25


async def test_audit_10_a_budget_is_spent_once_by_all_gateways(fleet: tuple[Gateway, Gateway]) -> None:
    clock = ManualClock()
    desks = [Desk(RedisBudgets(gateway.executor, gateway.prefix), clock) for gateway in fleet]
    charge = await desks[0].opened("team", 1_000)

    answers = await asyncio.gather(*(desks[n % 2].reserve(f"r{n}", 100, charge) for n in range(30)))

    assert sum(isinstance(answer, Reserved) for answer in answers) == 10
    assert sum(isinstance(answer, Refused) for answer in answers) == 20


async def test_audit_10_what_one_gateway_cached_another_finds_and_one_of_them_fills_a_gap(
    fleet: tuple[Gateway, Gateway],
) -> None:
    one, other = (RedisResponseCache(gateway.executor, gateway.prefix) for gateway in fleet)
    reply = CachedReply(b"{}", "m", CLOCK.now_us())
    fill = await one.acquire_fill("team", "k", "one", SECOND_US)
    assert isinstance(fill, Fill)
    assert isinstance(await other.acquire_fill("team", "k", "other", SECOND_US), FillHeld)

    await one.put("team", "k", reply, 60 * SECOND_US, fill)

    assert await other.get("team", "k") == reply
    assert await other.get("another team", "k") is None


async def test_audit_10_workers_of_all_gateways_share_one_queue_of_usage(fleet: tuple[Gateway, Gateway]) -> None:
    streams = [RedisUsageStream(gateway.executor, gateway.prefix, CLOCK) for gateway in fleet]
    for number in range(40):
        await streams[number % 2].append(b"record", f"r{number}")

    read = await asyncio.gather(*(stream.read(f"worker-{n}", 20, 0) for n, stream in enumerate(streams)))
    for stream, entries in zip(streams, read, strict=True):
        await stream.acknowledge([entry.id for entry in entries])
    rest = await streams[0].read("worker-0", 100, 0)

    ids = [entry.id for entries in (*read, rest) for entry in entries]
    assert sorted(ids) == sorted(f"r{number}" for number in range(40))


async def test_audit_10_health_found_by_one_gateway_is_known_to_all(fleet: tuple[Gateway, Gateway]) -> None:
    one, other = (RedisHealthStore(gateway.executor, gateway.prefix) for gateway in fleet)
    found = HealthReport(CLOCK.now_us(), reachable=True, latency_us=20_000, status=200)

    await one.store(InstanceId("a"), ModelName("m"), found)

    assert await other.of_instance(InstanceId("a")) == found
    assert (await other.of_model(ModelName("m"))).healthy == 1
