import asyncio
from collections.abc import Sequence

import pytest

from adapters.outbound.memory.routing import MemoryRouting
from adapters.outbound.redis.connection import connect
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.lua_scripts import all_scripts
from adapters.outbound.redis.routing import RedisRouting
from adapters.outbound.redis.routing.keys import RoutingKeys
from adapters.outbound.redis.store_breaker import StoreBreaker
from adapters.outbound.system.clock import SystemClock
from adapters.testing.doubles import SpyEventSink
from adapters.testing.routing.harness import LEASE_US, A, B, instance, weighted
from adapters.testing.routing_contract import CONFIG, RoutingContract, RoutingHarness
from adapters.testing.virtual_time import ManualClock
from domain.catalog import Instance
from domain.durations import SECOND_US
from domain.failure import Cooldown
from domain.identifiers import LeaseId
from domain.latency import LatencyKind
from domain.resilience.outcome import Outcome
from domain.routing.admission import AdmissionRequest
from domain.routing.strategy import Leaf
from tests.servers.fixtures import PATIENT
from tests.servers.inspection import keys_of, pause, ttl_of_keys


def routing_on(executor: RedisExecutor, prefix: str) -> RedisRouting:
    clock = ManualClock()
    return RedisRouting(executor, CONFIG, clock, SpyEventSink(), prefix, now=lambda: str(clock.monotonic_us()))


def on_the_clock(executor: RedisExecutor, prefix: str) -> RoutingHarness:
    clock, events = ManualClock(), SpyEventSink()
    routing = RedisRouting(executor, CONFIG, clock, events, prefix, now=lambda: str(clock.monotonic_us()))
    return RoutingHarness(routing, clock, events)


class TestMemoryRouting(RoutingContract):
    @pytest.fixture
    def harness(self) -> RoutingHarness:
        clock, events = ManualClock(), SpyEventSink()
        return RoutingHarness(MemoryRouting(CONFIG, clock, events), clock, events)


class TestRedisRouting(RoutingContract):
    @pytest.fixture
    def harness(self, redis_executor: RedisExecutor, redis_prefix: str) -> RoutingHarness:
        clock, events = ManualClock(), SpyEventSink()
        routing = RedisRouting(
            redis_executor, CONFIG, clock, events, redis_prefix, now=lambda: str(clock.monotonic_us())
        )

        async def catch_up(instances: Sequence[Instance]) -> None:
            await routing.settle()
            await routing.refresh(instances)

        return RoutingHarness(routing, clock, events, catch_up)


async def test_no_routing_key_is_without_a_ttl(
    redis_url: str, redis_executor: RedisExecutor, redis_prefix: str
) -> None:
    clock, events = ManualClock(), SpyEventSink()
    routing = RedisRouting(redis_executor, CONFIG, clock, events, redis_prefix, now=lambda: str(clock.monotonic_us()))
    harness = RoutingHarness(routing, clock, events)
    limited = instance("limited", rpm=50, tpm=500, max_parallel=9)
    for outcome in (Outcome.SUCCESS, Outcome.FAILURE, Outcome.FAILURE, Outcome.FAILURE):
        held = await harness.take(weighted((limited, 3), (A, 2)), tokens=5)
        await harness.take(weighted((limited, 3), (A, 2)))
        held.end(outcome, latency_us=5, tokens=3, cooldown=Cooldown.MISCONFIGURED, cooldown_us=9, cooldown_grows=True)
        (await harness.take(weighted((limited, 3), (A, 2)), tokens=5)).withdraw()
        routing.observe_latency(limited, LatencyKind.FIRST_CONTENT, 500)
        await routing.settle()
        clock.advance(SECOND_US)
    await routing.renew({held.lease_id: limited}, LEASE_US)

    ttls = await ttl_of_keys(redis_url, redis_prefix)

    assert len(ttls) > 8
    assert {key: ttl for key, ttl in ttls.items() if ttl < 0} == {}


async def test_keys_in_use_get_a_new_ttl_with_each_new_second(
    redis_url: str, redis_executor: RedisExecutor, redis_prefix: str
) -> None:
    harness = on_the_clock(redis_executor, redis_prefix)
    routing = harness.routing
    assert isinstance(routing, RedisRouting)
    about_to_end_ms = 20_000
    for _ in range(2):
        for key in await keys_of(redis_url, redis_prefix):
            await redis_executor.command("PEXPIRE", key, about_to_end_ms)
        (await harness.take(Leaf(A))).end(latency_us=5)
        await routing.settle()
        harness.clock.advance(SECOND_US)

    ttls = await ttl_of_keys(redis_url, redis_prefix)

    kept = {key.rpartition(":")[2]: ttl for key, ttl in ttls.items() if key.endswith(("charges", "window", "latency"))}
    assert len(kept) == 3
    assert {key: ttl for key, ttl in kept.items() if ttl <= about_to_end_ms} == {}


async def test_charges_count_on_when_the_clock_goes_back_a_little(
    redis_executor: RedisExecutor, redis_prefix: str
) -> None:
    harness, limited = on_the_clock(redis_executor, redis_prefix), Leaf(instance("limited", rpm=4))
    for _ in range(3):
        await harness.take(limited)
    harness.clock.advance(-5 * SECOND_US)
    await harness.take(limited)
    await harness.refused(limited)

    # Now the second that was charged after the others, but earlier, has left the window.
    harness.clock.advance(61 * SECOND_US)

    await harness.take(limited)
    await harness.refused(limited)


async def test_charges_from_far_ahead_are_forgotten_when_the_clock_goes_back(
    redis_executor: RedisExecutor, redis_prefix: str
) -> None:
    harness, limited = on_the_clock(redis_executor, redis_prefix), Leaf(instance("limited", rpm=3))
    for step_us in (0, -3_600 * SECOND_US, 3_600 * SECOND_US, 61 * SECOND_US):
        harness.clock.advance(step_us)
        for _ in range(3):
            await harness.take(limited)
        await harness.refused(limited)


async def test_what_was_withdrawn_leaves_no_lease_and_no_answer_behind(
    redis_url: str, redis_executor: RedisExecutor, redis_prefix: str
) -> None:
    routing = routing_on(redis_executor, redis_prefix)
    plan = weighted((A, 3), (B, 2))
    for number in range(4):
        request = AdmissionRequest(LeaseId(f"{number}"), plan, 0, LEASE_US)
        await routing.admit(request)
        routing.withdraw(request)
    await routing.settle()

    assert not [key for key in await keys_of(redis_url, redis_prefix) if "admitted" in key or "leases" in key]
    assert routing._held == {}


async def test_a_round_robin_that_was_lost_meanwhile_owes_nobody_anything(
    redis_url: str, redis_executor: RedisExecutor, redis_prefix: str
) -> None:
    routing = routing_on(redis_executor, redis_prefix)
    request = AdmissionRequest(LeaseId("one"), weighted((A, 3), (B, 2)), 0, LEASE_US)
    await routing.admit(request)
    await redis_executor.command("DEL", RoutingKeys(redis_prefix).turn(A, "k"))

    routing.withdraw(request)
    await routing.settle()

    assert not [key for key in await keys_of(redis_url, redis_prefix) if "turns" in key]


async def test_an_admission_that_nobody_waited_for_is_withdrawn(
    redis_executor: RedisExecutor, redis_prefix: str
) -> None:
    routing = routing_on(redis_executor, redis_prefix)
    for turns in range(5):
        request = AdmissionRequest(LeaseId(f"{turns}"), weighted((A, 3), (B, 2)), 7, LEASE_US)
        waiting = asyncio.ensure_future(routing.admit(request))
        for _ in range(turns):
            await asyncio.sleep(0)
        waiting.cancel()
        routing.withdraw(request)
    await routing.settle()
    await routing.refresh([A, B])

    seen = [routing.view(member, LatencyKind.WHOLE) for member in (A, B)]
    assert [(view.in_flight, view.requests_used, view.tokens_used) for view in seen] == [(0, 0, 0)] * 2


async def test_a_withdrawal_does_not_overtake_an_admission_that_nobody_waits_for(
    redis_url: str, redis_executor: RedisExecutor, redis_prefix: str
) -> None:
    routing = routing_on(redis_executor, redis_prefix)
    await routing.refresh([A])
    await pause(redis_url, 300)
    waiting = asyncio.ensure_future(routing.admit(AdmissionRequest(LeaseId("one"), Leaf(A), 7, LEASE_US)))
    for _ in range(3):
        await asyncio.sleep(0)
    waiting.cancel()
    for _ in range(3):
        await redis_executor.command("GET", f"{redis_prefix}none")
    await routing.settle()
    await routing.refresh([A])

    view = routing.view(A, LatencyKind.WHOLE)
    assert (view.in_flight, view.requests_used, view.tokens_used) == (0, 0, 0)


async def test_a_withdrawal_while_the_store_is_away_does_not_fail(redis_url: str, redis_prefix: str) -> None:
    breaker = StoreBreaker(SystemClock())
    executor = RedisExecutor(connect(redis_url, PATIENT), all_scripts(), PATIENT, breaker)
    await executor.load()
    routing = routing_on(executor, redis_prefix)
    request = AdmissionRequest(LeaseId("one"), weighted((A, 3), (B, 2)), 0, LEASE_US)
    await routing.admit(request)
    breaker.trip("for a test")

    routing.withdraw(request)
    await routing.settle()

    assert routing.view(A, LatencyKind.WHOLE).in_flight == 0
    await executor.aclose()
