"""What a gateway knows of instances that it does not use, and of what it can't read."""

import logging

import pytest

from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.routing import RedisRouting
from adapters.outbound.redis.routing.keys import RoutingKeys
from adapters.outbound.redis.routing.pictures import IDLE_EVERY, IN_USE_US
from adapters.testing.doubles import SpyEventSink
from adapters.testing.routing.harness import CONFIG, LEASE_US, WHOLE, A, B, RoutingHarness, instance, ordered
from adapters.testing.virtual_time import ManualClock
from domain.catalog import Instance
from domain.identifiers import LeaseId
from domain.resilience.circuit_breaker import CircuitState
from domain.routing.admission import AdmissionRequest, NotAdmitted
from domain.routing.decision import Exclusion


class World:
    """A busy gateway, and an idle one that is configured alike."""

    def __init__(self, executor: RedisExecutor, prefix: str) -> None:
        self.executor, self.keys = executor, RoutingKeys(prefix)
        self.clock = ManualClock()
        self.configured = [A, B]
        self.busy, self.idle = (
            RedisRouting(
                executor,
                CONFIG,
                self.clock,
                SpyEventSink(),
                prefix,
                now=lambda: str(self.clock.monotonic_us()),
                known=lambda: self.configured,
            )
            for _ in range(2)
        )
        self.harness = RoutingHarness(self.busy, self.clock, SpyEventSink())

    async def fail(self, member: Instance) -> None:
        await self.harness.fail(member, CONFIG.consecutive_failures)
        await self.busy.settle()

    def seen(self, member: Instance) -> CircuitState:
        return self.idle.view(member, WHOLE).circuit


@pytest.fixture
def world(redis_executor: RedisExecutor, redis_prefix: str) -> World:
    return World(redis_executor, redis_prefix)


async def test_a_gateway_knows_from_its_first_look_what_others_went_through(world: World) -> None:
    await world.fail(A)

    await world.idle.look()

    assert (world.seen(A), world.seen(B)) == (CircuitState.OPEN, CircuitState.CLOSED)


async def test_instances_that_are_not_used_are_looked_at_in_every_tenth_round(world: World) -> None:
    await world.idle.look()
    await world.fail(A)
    for _ in range(IDLE_EVERY - 1):
        await world.idle.look()
    before = world.idle._pictures._pictures[A.id].state

    await world.idle.look()

    assert (before, world.seen(A)) == (CircuitState.CLOSED, CircuitState.OPEN)


async def test_an_instance_in_use_is_looked_at_in_every_round_until_it_has_been_idle_for_a_while(world: World) -> None:
    await world.idle.look()
    world.idle.view(A, WHOLE)
    await world.fail(A)
    await world.idle.look()
    in_use = world.idle._pictures._pictures[A.id].state
    world.clock.advance(IN_USE_US + 1)
    await world.fail(B)
    await world.idle.look()

    assert in_use is CircuitState.OPEN
    assert world.idle._pictures._pictures[B.id].state is CircuitState.CLOSED
    assert world.idle._pictures._in_use == {}


async def test_what_is_not_configured_any_more_is_forgotten(world: World) -> None:
    await world.idle.look()
    world.configured = [A]
    for _ in range(IDLE_EVERY):
        await world.idle.look()

    assert set(world.idle._pictures._pictures) == {A.id}


async def test_a_circuit_that_admission_finds_open_is_seen_open_at_once(world: World) -> None:
    await world.idle.look()
    await world.fail(A)
    before = world.seen(A)

    answer = await world.idle.admit(AdmissionRequest(LeaseId("asks"), ordered(A), 0, LEASE_US))

    assert isinstance(answer, NotAdmitted)
    assert [refusal.reason for refusal in answer.refusals] == [Exclusion.CIRCUIT_OPEN]
    view = world.idle.view(A, WHOLE)
    assert (before, view.circuit, view.due) == (CircuitState.CLOSED, CircuitState.OPEN, False)
    world.clock.advance(answer.refusals[0].retry_after_us or 0)
    assert world.idle.view(A, WHOLE).due


async def test_one_instance_that_can_not_be_read_leaves_the_others_fresh_and_is_told_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    bad = instance("bad")
    await world.executor.command("SET", world.keys.of(bad).circuit, "no hash", "PX", 60_000)
    await world.fail(A)

    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            await world.idle.refresh([bad, A])
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    await world.executor.command("DEL", world.keys.of(bad).circuit)
    await world.idle.refresh([bad])

    assert world.seen(A) is CircuitState.OPEN
    assert len(told) == 1
    assert told[0].startswith("instance bad can't be read, and stays as it was last seen (")
    assert world.idle._pictures._unreadable == set()


async def test_an_admission_tells_how_many_attempts_others_run_at_its_instance(world: World) -> None:
    await world.idle.look()
    for _ in range(3):
        await world.harness.take(ordered(A))
    before = world.idle.view(A, WHOLE).in_flight

    request = AdmissionRequest(LeaseId("own"), ordered(A), 0, LEASE_US)
    await world.idle.admit(request)
    after = world.idle.view(A, WHOLE).in_flight
    await world.idle.admit(request)
    repeated = world.idle.view(A, WHOLE).in_flight
    world.idle.withdraw(request)

    assert (before, after, repeated, world.idle.view(A, WHOLE).in_flight) == (0, 4, 4, 3)
