"""Requests with a reservation while the shared state is away: what budgets let run; limits are decided as ever."""

import pytest

from adapters.testing.admission.harness import rpm
from adapters.testing.admission.reservation_contract import asking, desk_of
from application.degrading.store_failure import OnStoreFailure
from application.errors import StateUnavailable
from domain.budget.allowance import allowance_nano
from domain.budget.charge import Charge
from domain.durations import MINUTE_US, SECOND_US
from domain.limits.admission import CallerAdmitted, CallerRefused
from domain.limits.limit import Limit
from tests.unit.test_degrading_admission import StubRegistry, World

DOLLAR = 10**9


def away(policy: OnStoreFailure, *, gateways: int | None = 1, limits: OnStoreFailure = OnStoreFailure.DEGRADE) -> World:
    world = World(policy=limits, budget_policy=policy, registry=StubRegistry(gateways))
    world.shared.away = True
    return world


def hard(world: World, limit_nano: int, budget: str = "key") -> Charge:
    return desk_of(world.harness).charge(budget, limit_nano)


def soft(world: World) -> Charge:
    return desk_of(world.harness).charge("soft", 1, hard=False)


async def admitted(world: World, amount_nano: int, *charges: Charge, limits: tuple[Limit, ...] = ()) -> CallerAdmitted:
    answer = await world.admission.admit(asking(world.harness, amount_nano, charges, *limits))
    assert isinstance(answer, CallerAdmitted), answer
    return answer


async def refused(world: World, amount_nano: int, *charges: Charge) -> None:
    with pytest.raises(StateUnavailable, match="can not be checked"):
        await admitted(world, amount_nano, *charges)


async def test_closed_refuses_what_a_hard_budget_counts_and_charges_no_limit() -> None:
    world = away(OnStoreFailure.CLOSED)

    with pytest.raises(StateUnavailable, match="budgets can not be checked"):
        await admitted(world, 0, hard(world, DOLLAR), soft(world), limits=(rpm(1),))

    assert world.admission._held == {}
    await world.harness.take(rpm(1))


async def test_closed_lets_run_what_only_soft_budgets_count() -> None:
    world = away(OnStoreFailure.CLOSED)

    answer = await admitted(world, DOLLAR, soft(world))

    assert answer == CallerAdmitted((), degraded=True, reserved=None)


@pytest.mark.parametrize("policy", list(OnStoreFailure))
async def test_limits_are_decided_by_their_own_policy(policy: OnStoreFailure) -> None:
    world = away(policy)
    answer = await admitted(world, DOLLAR, soft(world), limits=(rpm(1),))
    assert (answer.degraded, len(answer.standings), answer.reserved) == (True, 1, None)

    second = await world.admission.admit(asking(world.harness, DOLLAR, (soft(world),), rpm(1)))

    assert isinstance(second, CallerRefused)
    assert second.degraded


async def test_open_lets_everything_run_and_reserves_nothing() -> None:
    world = away(OnStoreFailure.OPEN, gateways=None)

    for _ in range(3):
        answer = await admitted(world, 50 * DOLLAR, hard(world, DOLLAR))
        assert answer == CallerAdmitted((), degraded=True, reserved=None)

    world.shared.away = False
    assert await desk_of(world.harness).money(hard(world, DOLLAR).of) == (0, 0)


async def test_closed_limits_refuse_whatever_budgets_say_and_do_not_concern_who_has_none() -> None:
    world = away(OnStoreFailure.OPEN, limits=OnStoreFailure.CLOSED)

    await admitted(world, 1, hard(world, DOLLAR))
    with pytest.raises(StateUnavailable, match="away"):
        await admitted(world, 1, hard(world, DOLLAR), limits=(rpm(9),))


@pytest.mark.parametrize(
    ("limit_nano", "gateways", "allowed_nano"),
    [(60 * DOLLAR, 1, 600_000_000), (100 * DOLLAR, 4, 250_000_000), (9_000 * DOLLAR, 3, 333_333_333), (99, 1, 0)],
)
async def test_degrade_spends_its_part_of_one_percent_of_a_hard_budget_and_of_a_dollar_at_most(
    limit_nano: int, gateways: int, allowed_nano: int
) -> None:
    world = away(OnStoreFailure.DEGRADE, gateways=gateways)
    assert allowance_nano(limit_nano, gateways) == allowed_nano
    charge = hard(world, limit_nano)

    await refused(world, allowed_nano + 1, charge)
    await admitted(world, allowed_nano, charge)
    await refused(world, 1, charge)
    await admitted(world, 0, charge)


async def test_an_allowance_is_taken_from_every_hard_budget_or_from_none() -> None:
    world = away(OnStoreFailure.DEGRADE)
    key, team = hard(world, 10 * DOLLAR), hard(world, 5 * DOLLAR, "team")

    await refused(world, 60_000_000, key, team)

    await admitted(world, 100_000_000, key, soft(world))
    await admitted(world, 50_000_000, team)


async def test_a_request_that_a_limit_refuses_takes_nothing_of_an_allowance() -> None:
    world = away(OnStoreFailure.DEGRADE)
    charge = hard(world, DOLLAR)
    await world.harness.take(rpm(1))

    answer = await world.admission.admit(asking(world.harness, 10_000_000, (charge,), rpm(1)))

    assert isinstance(answer, CallerRefused)
    await admitted(world, 10_000_000, charge)


async def test_a_repeated_request_takes_its_part_of_an_allowance_once() -> None:
    world = away(OnStoreFailure.DEGRADE)
    request = asking(world.harness, 10_000_000, (hard(world, DOLLAR),), rpm(5))
    first = await world.admission.admit(request)

    assert await world.admission.admit(request) == first
    world.shared.away = False
    assert await world.admission.admit(request) == first


async def test_degrade_refuses_hard_budgets_where_the_number_of_gateways_is_unknown() -> None:
    world = away(OnStoreFailure.DEGRADE, gateways=None)

    await refused(world, 0, hard(world, DOLLAR))
    await admitted(world, 5, soft(world))


async def test_an_outage_ends_when_the_store_has_answered_for_a_minute() -> None:
    world = away(OnStoreFailure.DEGRADE)
    charge = hard(world, DOLLAR)
    await admitted(world, 10_000_000, charge)

    async def answers_for(span_us: int) -> None:
        world.shared.away = False
        await world.harness.admit(rpm(100))
        world.clock.advance(span_us)
        await world.harness.admit(rpm(100))
        world.shared.away = True

    await answers_for(MINUTE_US)
    await refused(world, 10_000_000, charge)
    world.clock.advance(MINUTE_US)
    await answers_for(SECOND_US)
    await refused(world, 1, charge)
    await answers_for(MINUTE_US + 1)
    await admitted(world, 10_000_000, charge)
