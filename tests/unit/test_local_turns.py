import asyncio
from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.outbound.memory.routing import MemoryRouting
from adapters.testing.doubles import SeededRandomness, SpyEventSink
from adapters.testing.routing.harness import (
    CONFIG,
    LEASE_US,
    WHOLE,
    A,
    B,
    C,
    RoutingHarness,
    instance,
    ordered,
    weighted,
)
from adapters.testing.virtual_time import ManualClock
from application.errors import StateUnavailable
from application.local_turns import LocalTurns
from domain.catalog import Instance
from domain.durations import MINUTE_US
from domain.identifiers import LeaseId
from domain.routing.admission import AdmissionRequest, Admitted, NotAdmitted
from domain.routing.decision import Exclusion
from domain.routing.strategy import Leaf, Node, Ordered, Weighted, leaves


class NoPhase(SeededRandomness):
    """Everyone begins at the beginning."""

    def draw(self) -> float:
        return 0.0


class SharedRouting(MemoryRouting):
    """Refuses who is out, answers when it is let, and keeps what it was asked."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(CONFIG, clock, SpyEventSink())
        self.plans: list[Node] = []
        self.open = asyncio.Event()
        self.open.set()
        self.away = False
        self.withdrawn: list[Node] = []

    async def admit(self, request: AdmissionRequest) -> Admitted | NotAdmitted:
        self.plans.append(request.plan)
        await self.open.wait()
        if self.away:
            raise StateUnavailable("away")
        return await super().admit(request)

    def withdraw(self, request: AdmissionRequest) -> None:
        self.withdrawn.append(request.plan)
        super().withdraw(request)


@dataclass
class World:
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        self.shared = SharedRouting(self.clock)
        self.turns = LocalTurns(self.shared, NoPhase(), self.clock)
        self.harness = RoutingHarness(self.turns, self.clock, SpyEventSink())

    async def one(self, plan: Node) -> str:
        """The instance of one attempt, which ends at once."""
        held = await self.harness.take(plan)
        held.end()
        return held.admitted.instance.id

    async def sequence(self, plan: Node, picks: int) -> str:
        return "".join([await self.one(plan) for _ in range(picks)])

    async def wave(self, plan: Node, size: int) -> str:
        """The instances of attempts that all ask before the first is answered."""
        self.shared.open.clear()
        asking = [asyncio.ensure_future(self.harness.take(plan)) for _ in range(size)]
        await asyncio.sleep(0)
        self.shared.open.set()
        attempts = [await one for one in asking]
        for held in attempts:
            held.end()
        return "".join(held.admitted.instance.id for held in attempts)


@pytest.fixture
def world() -> World:
    return World()


FULL = instance("f", max_parallel=0)
FIVE_ONE_ONE = weighted((A, 5), (B, 1), (C, 1))


async def test_one_gateway_alone_takes_the_exact_sequence(world: World) -> None:
    assert await world.sequence(FIVE_ONE_ONE, 21) == "aabacaa" * 3


async def test_shared_credits_are_neither_read_nor_written(world: World) -> None:
    plan = Ordered((Weighted("outer", (("m", 2, FIVE_ONE_ONE), ("n", 1, Leaf(FULL)))), Leaf(C)))

    await world.sequence(plan, 10)

    assert world.shared._turns == {}
    assert [type(leaf) for sent in world.shared.plans for leaf in leaves(sent)] == [Leaf] * 50
    assert not any("Weighted" in repr(sent) for sent in world.shared.plans)


async def test_the_next_in_turn_is_taken_where_one_is_refused_and_shares_hold_among_the_rest(world: World) -> None:
    plan = weighted((A, 2), (FULL, 4), (B, 1))

    taken = await world.sequence(plan, 302)

    counts = Counter(taken[-300:])
    assert abs(counts["a"] - 200) <= 1
    assert set(counts) == {"a", "b"}


@pytest.mark.parametrize("absent_for", [1, 3, 500, 501, 507])
@pytest.mark.parametrize("before", [0, 1, 3, 7])
async def test_a_member_that_returns_gets_its_share_and_no_burst(world: World, before: int, absent_for: int) -> None:
    back = instance("x", max_parallel=1)
    plan = weighted((back, 5), (A, 3), (B, 2))
    await world.sequence(plan, before)
    blocking = await world.harness.take(Leaf(back))
    while_absent = await world.sequence(plan, absent_for)
    blocking.end()

    after = await world.sequence(plan, 40)

    assert "x" not in while_absent
    for start in (0, 10, 20, 30):
        assert abs(Counter(after[start : start + 10])["x"] - 5) <= 1


async def test_a_member_away_from_the_plan_keeps_its_credit(world: World) -> None:
    await world.sequence(weighted((B, 3), (C, 2), key="k"), 500)

    after = await world.sequence(weighted((A, 5), (B, 3), (C, 2), key="k"), 20)

    assert Counter(after) == {"a": 10, "b": 6, "c": 4}


async def test_all_who_ask_before_the_first_answer_are_sent_different_ways(world: World) -> None:
    assert await world.wave(FIVE_ONE_ONE, 7) == "aabacaa"


async def test_corrections_add_up_whoever_answers_first(world: World) -> None:
    taken = await world.wave(weighted((FULL, 5), (A, 2), (B, 1)), 60)
    taken += await world.sequence(weighted((FULL, 5), (A, 2), (B, 1)), 30)

    counts = Counter(taken)
    assert set(counts) == {"a", "b"}
    assert abs(counts["a"] - 60) <= 1
    assert sum(world.turns._credits.of("k", (), 0, float).by_member.values()) == 0


async def test_a_member_that_was_refused_to_many_at_once_returns_without_a_burst(world: World) -> None:
    back = instance("x", max_parallel=1)
    plan = weighted((back, 5), (A, 2), (B, 1))
    await world.sequence(plan, 3)
    blocking = await world.harness.take(Leaf(back))
    for _ in range(10):
        assert "x" not in await world.wave(plan, 60)
    blocking.end()

    after = await world.sequence(plan, 40)

    assert [Counter(after[start : start + 8])["x"] for start in range(0, 40, 8)] == [5] * 5


async def test_who_was_refused_is_asked_first_until_it_is_back(world: World) -> None:
    back = instance("x", max_parallel=1)
    plan = weighted((A, 50), (back, 1))
    blocking = await world.harness.take(Leaf(back))
    await world.sequence(plan, 90)
    refusals = (await world.harness.take(plan)).admitted.refusals
    blocking.end()

    assert [refusal.instance_id for refusal in refusals] == ["x"]
    assert await world.sequence(plan, 3) == "xaa"


async def test_many_who_ask_at_once_expect_nothing_of_who_is_out(world: World) -> None:
    plan = weighted((FULL, 5), (A, 2), (B, 1))
    await world.sequence(plan, 9)

    taken = await world.wave(plan, 30)

    for start in range(0, 30, 3):
        assert Counter(taken[start : start + 3]) == {"a": 2, "b": 1}


async def test_many_who_ask_at_once_expect_nothing_of_who_is_out_further_down(world: World) -> None:
    inner = weighted((FULL, 5), (A, 1), (B, 1), key="inner")
    plan = Weighted("outer", (("m", 2, inner), ("n", 1, Leaf(C))))
    await world.sequence(plan, 9)

    taken = await world.wave(plan, 30)

    for start in range(0, 30, 3):
        assert Counter(taken[start : start + 3]) == {"a": 1, "b": 1, "c": 1}


async def test_who_was_refused_and_taken_then_has_its_part_again(world: World) -> None:
    blocked = instance("b", max_parallel=0)
    assert await world.sequence(weighted((A, 1), (blocked, 1)), 4) == "aaaa"

    assert Counter(await world.sequence(weighted((A, 1), (B, 1)), 40)) == {"a": 20, "b": 20}


@pytest.mark.parametrize("refused", [True, False], ids=["refused", "away"])
async def test_what_admits_nothing_costs_no_turn(world: World, refused: bool) -> None:
    limited = instance("a", tpm=100)
    plan = weighted((limited, 5), (B, 1), (C, 1))
    taken = ""
    for _ in range(14):
        if refused:
            alone = Weighted("k", (("a", 5, Leaf(limited)),))
            assert isinstance(await world.harness.admit(alone, tokens=101), NotAdmitted)
        else:
            world.shared.away = True
            with pytest.raises(StateUnavailable):
                await world.harness.admit(plan)
            world.shared.away = False
        taken += await world.one(plan)

    assert taken == "aabacaa" * 2


async def test_a_cancelled_request_costs_no_turn(world: World) -> None:
    world.shared.open.clear()
    asking = asyncio.ensure_future(world.harness.admit(FIVE_ONE_ONE))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    world.shared.open.set()

    assert await world.sequence(FIVE_ONE_ONE, 7) == "aabacaa"


async def test_admission_repeated_under_the_same_lease_costs_one_turn(world: World) -> None:
    first = await world.harness.take(FIVE_ONE_ONE, lease="same")
    again = await world.harness.take(FIVE_ONE_ONE, lease="same")

    assert again.admitted == first.admitted
    assert world.shared.plans[0] is world.shared.plans[1]
    assert await world.sequence(FIVE_ONE_ONE, 6) == "abacaa"


def asked(lease: str, plan: Node) -> AdmissionRequest:
    return AdmissionRequest(LeaseId(lease), plan, 0, LEASE_US)


async def test_a_withdrawn_admission_costs_no_turn_and_is_withdrawn_as_it_was_passed_on(world: World) -> None:
    picked = ""
    for _ in range(7):
        await world.turns.admit(asked("same", FIVE_ONE_ONE))
        world.turns.withdraw(asked("same", FIVE_ONE_ONE))
        picked += await world.one(FIVE_ONE_ONE)

    assert picked == "aabacaa"
    assert world.shared.withdrawn == world.shared.plans[::2]


async def test_withdrawn_after_others_gives_back_exactly_its_own_turn(world: World) -> None:
    plan = weighted((FULL, 3), (A, 2), (B, 1))
    await world.sequence(plan, 6)
    before = dict(world.turns._credits.of("k", (), 0, float).by_member)
    await world.turns.admit(asked("first", plan))
    await world.turns.admit(asked("second", plan))
    world.turns.withdraw(asked("first", plan))
    world.turns.withdraw(asked("second", plan))
    world.turns.withdraw(asked("second", plan))

    assert world.turns._credits.of("k", (), 0, float).by_member == before


@pytest.mark.parametrize("renewed", [True, False], ids=["renewed", "expired"])
async def test_a_lease_that_expired_gives_no_turn_back(world: World, renewed: bool) -> None:
    await world.turns.admit(asked("old", FIVE_ONE_ONE))
    world.clock.advance(LEASE_US - 1)
    if renewed:
        await world.turns.renew({LeaseId("old"): A}, LEASE_US)
    world.clock.advance(1)
    world.turns.withdraw(asked("old", FIVE_ONE_ONE))

    assert await world.sequence(FIVE_ONE_ONE, 7) == ("aabacaa" if renewed else "abacaaa")
    assert world.turns._held == {}


async def test_a_withdrawal_of_a_lease_without_turns_is_passed_on_as_it_is(world: World) -> None:
    await world.turns.admit(asked("plain", Leaf(A)))
    world.turns.withdraw(asked("plain", Leaf(A)))

    assert world.shared.withdrawn == [Leaf(A)]
    assert world.shared.view(A, WHOLE).in_flight == 0


async def test_weight_zero_is_never_taken_and_admission_says_why(world: World) -> None:
    plan = weighted((A, 0), (B, 1), (FULL, 2))

    answer = await world.harness.take(plan)
    refusal = await world.harness.refused(weighted((A, 0), (FULL, 1)))

    assert answer.admitted.instance == B
    assert {r.instance_id: r.reason for r in refusal.refusals} == {
        A.id: Exclusion.ZERO_WEIGHT,
        FULL.id: Exclusion.MAX_PARALLEL,
    }


async def test_nested_round_robins_are_exact_at_both_levels(world: World) -> None:
    inner = weighted((A, 2), (B, 1), key="inner")
    plan = Weighted("outer", (("m", 2, inner), ("n", 1, Leaf(C))))

    taken = await world.sequence(plan, 90)

    for start in range(0, 90, 9):
        assert Counter(taken[start : start + 9]) == {"a": 4, "b": 2, "c": 3}


async def test_only_turns_on_the_way_to_the_one_taken_are_spent(world: World) -> None:
    refused = weighted((FULL, 1), (instance("g", max_parallel=0), 1), key="refused")
    inner = weighted((A, 2), (B, 1), key="inner")
    plan = Weighted("outer", (("m", 2, refused), ("n", 1, inner)))

    taken = await world.sequence(plan, 9)

    assert taken == "aba" * 3
    assert set(world.turns._credits.of("refused", (), 0, float).by_member.values()) == {0}


async def test_plans_without_round_robin_pass_as_they_are(world: World) -> None:
    plan = ordered(FULL, A)

    assert await world.one(plan) == "a"
    assert world.shared.plans == [plan]
    assert world.shared.plans[0] is plan


async def test_gateways_begin_at_different_places() -> None:
    clock = ManualClock()
    shared = SharedRouting(clock)
    first = set()
    for seed in range(20):
        harness = RoutingHarness(LocalTurns(shared, SeededRandomness(seed), clock), clock, SpyEventSink(), taken=seed)
        first.add((await harness.take(weighted((A, 1), (B, 1), (C, 1)))).admitted.instance.id)

    assert first == {"a", "b", "c"}


async def test_what_is_held_for_an_attempt_ends_with_its_report(world: World) -> None:
    held = await world.harness.take(FIVE_ONE_ONE)
    assert len(world.turns._held) == 1

    held.end()
    await world.harness.admit(weighted((FULL, 1)))

    assert world.turns._held == {}


async def test_round_robins_unused_for_an_hour_are_forgotten(world: World) -> None:
    for number in range(10):
        await world.one(weighted((A, 1), (B, 1), key=f"old-{number}"))
    await world.one(weighted((A, 1), (B, 1), key="used"))
    world.clock.advance(59 * MINUTE_US)
    await world.one(weighted((A, 1), (B, 1), key="used"))
    world.clock.advance(2 * MINUTE_US)

    await world.one(weighted((A, 1), (B, 1), key="new"))

    assert len(world.turns._credits) == 2
    assert await world.one(weighted((A, 1), (B, 1), key="used")) == "a"
    assert await world.one(weighted((A, 1), (B, 1), key="old-3")) == "a"


GATEWAYS = 4
MEMBERS = [instance(name) for name in "stuvwxyz"]


async def _taken_by_all(weights: list[int], seed: int) -> list[Instance]:
    clock = ManualClock()
    shared = MemoryRouting(CONFIG, clock, SpyEventSink())
    gateways = [LocalTurns(shared, SeededRandomness(seed + number), clock) for number in range(GATEWAYS)]
    plan = weighted(*zip(MEMBERS, weights, strict=False))
    chance, taken = SeededRandomness(seed), []
    for number in range(200):
        gateway = gateways[int(chance.draw() * GATEWAYS)]
        answer = await gateway.admit(AdmissionRequest(LeaseId(f"lease-{number}"), plan, 0, LEASE_US))
        assert isinstance(answer, Admitted)
        taken.append(answer.instance)
    return taken


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 60), min_size=2, max_size=8), st.integers(0, 2**32))
def test_gateways_together_stay_within_one_and_a_half_turns_each(weights: list[int], seed: int) -> None:
    taken = asyncio.run(_taken_by_all(weights, seed))

    counts: Counter[Instance] = Counter()
    for length, one in enumerate(taken, start=1):
        counts[one] += 1
        for member, weight in zip(MEMBERS, weights, strict=False):
            assert abs(counts[member] - length * weight / sum(weights)) <= 1.5 * GATEWAYS
