from collections.abc import Sequence

import pytest

from adapters.outbound.memory.routing import MemoryRouting
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.routing import RedisRouting
from adapters.testing.doubles import SpyEventSink
from adapters.testing.routing.harness import LEASE_US, A, instance, weighted
from adapters.testing.routing_contract import CONFIG, RoutingContract, RoutingHarness
from adapters.testing.virtual_time import ManualClock
from domain.catalog import Instance
from domain.durations import SECOND_US
from domain.failure import Cooldown
from domain.latency import LatencyKind
from domain.resilience.outcome import Outcome
from tests.servers.inspection import ttl_of_keys


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
        routing.observe_latency(limited, LatencyKind.FIRST_CONTENT, 500)
        await routing.settle()
        clock.advance(SECOND_US)
    await routing.renew({held.lease_id: limited}, LEASE_US)

    ttls = await ttl_of_keys(redis_url, redis_prefix)

    assert len(ttls) > 8
    assert {key: ttl for key, ttl in ttls.items() if ttl < 0} == {}
