"""Plans with more instances than one call is asked about."""

from typing import Any

import pytest

from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.routing import RedisRouting
from adapters.testing.doubles import SpyEventSink
from adapters.testing.routing.harness import CONFIG, LEASE_US, RoutingHarness, instance, ordered, weighted
from adapters.testing.virtual_time import ManualClock
from domain.catalog import Instance
from domain.identifiers import LeaseId
from domain.routing.admission import AdmissionRequest, Admitted
from domain.routing.decision import Exclusion
from domain.routing.strategy import Ordered

FREE = tuple(instance(f"free-{number}") for number in range(50))
FULL = tuple(instance(f"full-{number}", max_parallel=0) for number in range(50))


class World:
    """Counts the calls of routing/admit, and how many instances each is asked about."""

    def __init__(self, executor: RedisExecutor, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[int] = []
        call, keys_at = executor.call, 6

        async def counted(name: str, keys: list[str], words: list[Any]) -> Any:
            if name == "routing/admit":
                self.asked.append(words[keys_at])
            return await call(name, keys, words)

        monkeypatch.setattr(executor, "call", counted)
        clock, events = ManualClock(), SpyEventSink()
        self.routing = RedisRouting(executor, CONFIG, clock, events, prefix, now=lambda: str(clock.monotonic_us()))
        self.harness = RoutingHarness(self.routing, clock, events)

    async def requests_of(self, member: Instance) -> int:
        await self.routing.settle()
        await self.routing.refresh([member])
        return (await self.harness.view(member)).requests_used


@pytest.fixture
def world(redis_executor: RedisExecutor, redis_prefix: str, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(redis_executor, redis_prefix, monkeypatch)


async def test_fifty_candidates_cost_one_call_about_sixteen_where_the_first_is_free(world: World) -> None:
    held = await world.harness.take(ordered(*FREE))

    assert held.admitted.instance == FREE[0]
    assert world.asked == [16]


async def test_the_next_portion_is_asked_where_the_one_before_admits_nothing(world: World) -> None:
    held = await world.harness.take(ordered(*FULL[:40], *FREE[40:]))

    assert held.admitted.instance == FREE[40]
    assert world.asked == [16, 16, 16]
    assert [r.instance_id for r in held.admitted.refusals] == [one.id for one in FULL[:40]]
    assert await world.requests_of(FREE[40]) == 1
    assert await world.requests_of(FREE[41]) == 0


async def test_refusals_of_all_portions_are_told_where_nothing_is_admitted(world: World) -> None:
    answer = await world.harness.refused(ordered(*FULL))

    assert [r.instance_id for r in answer.refusals] == [one.id for one in FULL]
    assert {r.reason for r in answer.refusals} == {Exclusion.MAX_PARALLEL}
    assert world.asked == [16, 16, 16, 2]


async def test_an_admission_of_a_later_portion_answers_as_before_when_it_is_repeated(world: World) -> None:
    plan = ordered(*FULL[:20], *FREE[20:])
    first = await world.harness.take(plan, lease="same")
    again = await world.harness.take(plan, lease="same")

    assert again.admitted.instance == first.admitted.instance == FREE[20]
    assert await world.requests_of(FREE[20]) == 1


async def test_a_reported_lease_is_asked_from_the_first_portion_again(world: World) -> None:
    once = instance("once", max_parallel=1)
    blocking = await world.harness.take(ordered(once))
    plan = ordered(once, *FULL[:20], *FREE[21:])
    (await world.harness.take(plan, lease="same")).end()
    blocking.end()
    await world.routing.settle()

    assert (await world.harness.take(plan, lease="same")).admitted.instance == once


@pytest.mark.parametrize("place", [0, 20, 49])
async def test_a_withdrawal_undoes_the_admission_of_any_portion(world: World, place: int) -> None:
    limited = instance("limited", rpm=1, max_parallel=1)
    plan = Ordered((ordered(*FULL[:place]), weighted((limited, 1)), ordered(*FULL[place:])))
    request = AdmissionRequest(LeaseId("same"), plan, 0, LEASE_US)
    for _ in range(3):
        answer = await world.routing.admit(request)
        assert isinstance(answer, Admitted)
        assert answer.instance == limited
        assert await world.requests_of(limited) == 1

        world.routing.withdraw(request)

        assert await world.requests_of(limited) == 0


async def test_a_round_robin_is_exact_whatever_its_size(world: World) -> None:
    everyone = weighted(*((one, 1) for one in FREE[:20]))
    plan = Ordered((ordered(*FULL), everyone))

    taken = [(await world.harness.take(plan)).admitted.instance for _ in range(20)]

    assert sorted(taken, key=FREE.index) == list(FREE[:20])
    assert world.asked[:5] == [16, 16, 16, 2, 20]
