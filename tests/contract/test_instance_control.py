import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from adapters.outbound.memory.instance_control import MemoryInstanceControl
from adapters.outbound.memory.instance_states import InstanceStates
from adapters.outbound.memory.routing import MemoryRouting
from adapters.outbound.redis.batch import Batch
from adapters.outbound.redis.connection import Timeouts, connect
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.instance_control import RedisInstanceControl
from adapters.outbound.redis.lane import Lane
from adapters.outbound.redis.lua_scripts import all_scripts
from adapters.outbound.redis.routing import RedisRouting
from adapters.outbound.redis.routing.keys import RoutingKeys
from adapters.outbound.redis.store_breaker import StoreBreaker
from adapters.outbound.system.clock import SystemClock
from adapters.testing.doubles import SpyEventSink
from adapters.testing.instance_control_contract import Controlled, InstanceControlContract
from adapters.testing.routing.harness import CONFIG, A, RoutingHarness
from adapters.testing.virtual_time import ManualClock
from application.errors import StateUnavailable
from application.ports.instance_control import InstanceControl
from domain.catalog import Instance
from domain.durations import SECOND_US
from domain.failure import Cooldown
from domain.identifiers import InstanceId
from domain.resilience.circuit_breaker import CircuitState
from domain.resilience.outcome import Outcome
from domain.routing.strategy import Leaf
from tests.ports import free_port
from tests.servers.inspection import ttl_of_keys

WEEK_MS = 7 * 24 * 3_600_000
FOREVER = -1


class TestMemoryInstanceControl(InstanceControlContract):
    @pytest.fixture
    def controlled(self) -> Controlled:
        clock, states = ManualClock(), InstanceStates()

        def gateway() -> tuple[InstanceControl, RoutingHarness]:
            events = SpyEventSink()
            routing = RoutingHarness(MemoryRouting(CONFIG, clock, events, states), clock, events)
            return MemoryInstanceControl(states, clock, events), routing

        return Controlled(*gateway(), *gateway())


def redis_gateway(executor: RedisExecutor, prefix: str, clock: ManualClock) -> tuple[InstanceControl, RoutingHarness]:
    events = SpyEventSink()

    def now() -> str:
        return str(clock.monotonic_us())

    routing = RedisRouting(executor, CONFIG, clock, events, prefix, now)

    async def catch_up(instances: Sequence[Instance]) -> None:
        await routing.settle()
        await routing.refresh(instances)

    control = RedisInstanceControl(executor, clock, events, prefix, now)
    return control, RoutingHarness(routing, clock, events, catch_up)


@pytest.fixture
def in_redis(redis_executor: RedisExecutor, redis_prefix: str) -> Controlled:
    clock = ManualClock()
    return Controlled(
        *redis_gateway(redis_executor, redis_prefix, clock), *redis_gateway(redis_executor, redis_prefix, clock)
    )


class TestRedisInstanceControl(InstanceControlContract):
    @pytest.fixture
    def controlled(self, in_redis: Controlled) -> Controlled:
        return in_redis


class TestWhatAnOperatorSetStays:
    """A circuit without traffic is forgotten after a week; what an operator has set must not be."""

    @pytest.fixture
    def circuit_key(self, redis_prefix: str) -> str:
        return RoutingKeys(redis_prefix).of(A).circuit

    async def test_drained_it_has_no_ttl_until_it_is_back(
        self, in_redis: Controlled, redis_executor: RedisExecutor, circuit_key: str
    ) -> None:
        await in_redis.routing.fail(A, 1)
        await in_redis.arrive()
        assert 0 < await redis_executor.command("PTTL", circuit_key) <= WEEK_MS

        await in_redis.control.drain(A, True)
        assert await redis_executor.command("PTTL", circuit_key) == FOREVER

        await in_redis.control.drain(A, False)
        assert WEEK_MS - 60_000 < await redis_executor.command("PTTL", circuit_key) <= WEEK_MS

    @pytest.mark.parametrize("state", [CircuitState.OPEN, CircuitState.CLOSED])
    async def test_forced_it_has_no_ttl_until_outcomes_decide_again(
        self, in_redis: Controlled, redis_executor: RedisExecutor, circuit_key: str, state: CircuitState
    ) -> None:
        await in_redis.control.force(A, state)
        assert await redis_executor.command("PTTL", circuit_key) == FOREVER

        await in_redis.control.force(A, None)
        assert WEEK_MS - 60_000 < await redis_executor.command("PTTL", circuit_key) <= WEEK_MS

    async def test_the_last_of_two_wishes_that_is_undone_brings_the_ttl_back(
        self, in_redis: Controlled, redis_executor: RedisExecutor, circuit_key: str
    ) -> None:
        await in_redis.control.drain(A, True)
        await in_redis.control.force(A, CircuitState.OPEN)

        await in_redis.control.force(A, None)
        assert await redis_executor.command("PTTL", circuit_key) == FOREVER
        await in_redis.control.force(A, CircuitState.CLOSED)
        await in_redis.control.drain(A, False)
        assert await redis_executor.command("PTTL", circuit_key) == FOREVER
        await in_redis.control.force(A, None)
        assert await redis_executor.command("PTTL", circuit_key) > 0

    @pytest.mark.parametrize("wish", ["drain", CircuitState.OPEN, CircuitState.CLOSED])
    async def test_no_traffic_puts_a_ttl_back(
        self, in_redis: Controlled, redis_executor: RedisExecutor, circuit_key: str, wish: str | CircuitState
    ) -> None:
        await in_redis.routing.fail(A, CONFIG.consecutive_failures)
        in_redis.routing.clock.advance(CONFIG.open_duration_us)
        probe = await in_redis.routing.take(Leaf(A))
        if isinstance(wish, CircuitState):
            await in_redis.control.force(A, wish)
        else:
            await in_redis.control.drain(A, True)
        await in_redis.routing.routing.renew({probe.lease_id: A}, 30 * SECOND_US)
        await in_redis.exclusion(last_resort=True)

        probe.end(Outcome.FAILURE, latency_us=1, cooldown=Cooldown.MISCONFIGURED, cooldown_us=1)
        await in_redis.exclusion(last_resort=True)

        assert await redis_executor.command("PTTL", circuit_key) == FOREVER

    async def test_a_probe_keeps_an_automatic_circuit_for_another_week(
        self, in_redis: Controlled, redis_executor: RedisExecutor, circuit_key: str
    ) -> None:
        await in_redis.routing.fail(A, CONFIG.consecutive_failures)
        await in_redis.arrive()
        await redis_executor.command("PEXPIRE", circuit_key, 60_000)
        in_redis.routing.clock.advance(CONFIG.open_duration_us)

        await in_redis.routing.take(Leaf(A))

        assert await redis_executor.command("PTTL", circuit_key) > 60_000

    async def test_half_opened_it_is_kept_as_long_as_before(
        self, in_redis: Controlled, redis_executor: RedisExecutor, circuit_key: str
    ) -> None:
        await in_redis.routing.fail(A, CONFIG.consecutive_failures)
        await in_redis.arrive()
        await redis_executor.command("PEXPIRE", circuit_key, 60_000)

        await in_redis.control.half_open(A)
        assert await redis_executor.command("PTTL", circuit_key) > 60_000

        await in_redis.routing.fail(A, 1)
        await in_redis.control.drain(A, True)
        await in_redis.control.half_open(A)
        assert await redis_executor.command("PTTL", circuit_key) == FOREVER

    async def test_a_drain_that_is_undone_leaves_no_key(
        self, in_redis: Controlled, redis_url: str, redis_prefix: str
    ) -> None:
        await in_redis.control.drain(A, True)
        await in_redis.control.drain(A, False)
        await in_redis.control.force(A, None)
        await in_redis.control.half_open(A)

        assert await ttl_of_keys(redis_url, redis_prefix) == {}

    async def test_only_the_circuit_is_without_a_ttl(
        self, in_redis: Controlled, redis_url: str, redis_prefix: str, circuit_key: str
    ) -> None:
        await in_redis.control.drain(A, True)
        await in_redis.control.drain(A, False)
        await in_redis.control.force(A, CircuitState.CLOSED)
        await in_redis.routing.fail(A, 1)
        (await in_redis.routing.take(Leaf(A))).end(latency_us=5)
        await in_redis.routing.take(Leaf(A))
        await in_redis.arrive()

        ttls = await ttl_of_keys(redis_url, redis_prefix)

        assert len(ttls) > 5
        assert [key for key, ttl in ttls.items() if ttl < 0] == [circuit_key]


async def test_many_instances_are_inspected_in_one_round_trip(
    redis_executor: RedisExecutor, redis_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    control, _ = redis_gateway(redis_executor, redis_prefix, ManualClock())
    many = [replace(A, id=InstanceId(f"i{number}"), routing_group=f"g{number % 3}") for number in range(50)]
    sizes: dict[Lane, list[int]] = {}
    write = Lane._write_batch

    def counted(lane: Lane, batch: Batch, writer: asyncio.StreamWriter) -> None:
        sizes.setdefault(lane, []).append(len(batch.asked))
        write(lane, batch, writer)

    monkeypatch.setattr(Lane, "_write_batch", counted)

    assert len(await control.inspect(many)) == 50
    assert {len(writes) for writes in sizes.values()} == {1}
    assert sum(sum(writes) for writes in sizes.values()) == 50


async def test_operators_are_told_where_redis_is_away() -> None:
    timeouts = Timeouts(command_us=SECOND_US, connect_us=SECOND_US)
    executor = RedisExecutor(
        connect(f"redis://127.0.0.1:{free_port()}/0", timeouts), all_scripts(), timeouts, StoreBreaker(SystemClock())
    )
    events = SpyEventSink()
    control = RedisInstanceControl(executor, SystemClock(), events, "away:")

    with pytest.raises(StateUnavailable):
        await control.inspect([A])
    with pytest.raises(StateUnavailable):
        await control.drain(A, True)
    with pytest.raises(StateUnavailable):
        await control.force(A, CircuitState.OPEN)
    with pytest.raises(StateUnavailable):
        await control.half_open(A)
    await executor.aclose()

    assert events.events == []


class SkewedClock(ManualClock):
    """Its monotonic clock began an hour after the epoch did, as those of real machines do."""

    def monotonic_us(self) -> int:
        return self.now_us() - 3_600_000_000


async def test_times_are_told_by_the_clock_on_the_wall() -> None:
    clock = SkewedClock()
    control = MemoryInstanceControl(InstanceStates(), clock, SpyEventSink())

    await control.force(A, CircuitState.OPEN)
    await control.force(replace(A), None)

    (report,) = await control.inspect([A])
    assert report.circuit.opened_at_us == clock.now_us()
    assert report.circuit.next_probe_at_us == clock.now_us()


async def test_times_of_redis_are_those_of_its_own_clock(redis_executor: RedisExecutor, redis_prefix: str) -> None:
    before_us = SystemClock().now_us()
    control = RedisInstanceControl(redis_executor, SystemClock(), SpyEventSink(), redis_prefix)

    await control.force(A, CircuitState.OPEN)

    (report,) = await control.inspect([A])
    opened_at_us = report.circuit.opened_at_us
    assert opened_at_us is not None
    assert before_us - SECOND_US <= opened_at_us <= SystemClock().now_us() + SECOND_US
