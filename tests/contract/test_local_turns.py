"""Whoever takes turns alone keeps the contract all the same."""

from collections.abc import Sequence

import pytest

from adapters.outbound.memory.routing import MemoryRouting
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.routing import RedisRouting
from adapters.testing.doubles import SeededRandomness, SpyEventSink
from adapters.testing.routing_contract import CONFIG, RoutingContract, RoutingHarness
from adapters.testing.virtual_time import ManualClock
from application.local_turns import LocalTurns
from domain.catalog import Instance


class FromTheFirst(SeededRandomness):
    """No gateway begins in the middle of a sequence: the contract says what the first turn is."""

    def draw(self) -> float:
        return 0.0


class TestLocalTurnsOverMemoryRouting(RoutingContract):
    @pytest.fixture
    def harness(self) -> RoutingHarness:
        clock, events = ManualClock(), SpyEventSink()
        return RoutingHarness(LocalTurns(MemoryRouting(CONFIG, clock, events), FromTheFirst(), clock), clock, events)


class TestLocalTurnsOverRedisRouting(RoutingContract):
    @pytest.fixture
    def harness(self, redis_executor: RedisExecutor, redis_prefix: str) -> RoutingHarness:
        clock, events = ManualClock(), SpyEventSink()
        shared = RedisRouting(
            redis_executor, CONFIG, clock, events, redis_prefix, now=lambda: str(clock.monotonic_us())
        )

        async def catch_up(instances: Sequence[Instance]) -> None:
            await shared.settle()
            await shared.refresh(instances)

        return RoutingHarness(LocalTurns(shared, FromTheFirst(), clock), clock, events, catch_up)
