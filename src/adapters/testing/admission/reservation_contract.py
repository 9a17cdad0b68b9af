import asyncio
from dataclasses import replace

from adapters.testing.admission.decision_contract import every_limit
from adapters.testing.admission.harness import AdmissionHarness, parallel, rpm, tpm
from adapters.testing.budget_support import ACCOUNT, TTL_US, Desk
from domain.budget.answers import Refused, Reserved, ResolutionKind, Resolved, Unverified
from domain.budget.charge import AttemptId, BudgetId, Charge, Reservation
from domain.durations import SECOND_US
from domain.limits.admission import CallerAdmissionRequest, CallerAdmitted, CallerAnswer, CallerRefused
from domain.limits.limit import Limit

# More digits than `%.14g` keeps.
LONG_NANO = 8_123_456_789_012_345


class ReservationContract:
    """Limits and budgets as one decision. Wants a harness that has `budgets`."""

    async def test_an_admission_reserves_and_charges_at_once(self, harness: AdmissionHarness) -> None:
        desk = desk_of(harness)
        key, team = await desk.opened("key", 100), await desk.opened("team", LONG_NANO + 60, settled_nano=LONG_NANO)

        request = asking(harness, 60, (key, team), *every_limit(10), tokens=4)
        answer = await harness.admission.admit(request)

        assert isinstance(answer, CallerAdmitted)
        assert isinstance(answer.reserved, Reserved)
        assert (answer.reserved.amount_nano, answer.reserved.expires_us) == (60, harness.clock.now_us() + TTL_US)
        stands = [(s.budget, s.settled_nano, s.reserved_nano, s.verified) for s in answer.reserved.standings]
        assert stands == [("key", 0, 60, True), ("team", LONG_NANO, 60, True)]
        assert [standing.decision.remaining for standing in answer.standings] == [9, 9, 9, 6, 6, 6, 9]
        assert await desk.money(team.of) == (LONG_NANO, 60)
        assert await harness.left(parallel(10)) == 9

    async def test_a_request_without_limits_is_refused_by_its_budget(self, harness: AdmissionHarness) -> None:
        desk = desk_of(harness)
        key = await desk.opened("key", 100)
        answer = await harness.admission.admit(asking(harness, 60, (key,)))
        assert isinstance(answer, CallerAdmitted)
        assert (answer.standings, isinstance(answer.reserved, Reserved)) == ((), True)

        refused = await harness.admission.admit(asking(harness, 41, (key,)))

        assert refused == Refused(BudgetId("key"), key.of.period.id, 100, 0, 60)

    async def test_what_a_limit_refuses_holds_no_money(self, harness: AdmissionHarness) -> None:
        desk = desk_of(harness)
        key = await desk.opened("key", 100)
        await harness.take(parallel(1))

        refused = await harness.admission.admit(asking(harness, 60, (key,), rpm(5), parallel(1)))

        assert isinstance(refused, CallerRefused)
        assert refused.limit == parallel(1)
        assert await desk.money(key.of) == (0, 0)
        assert await harness.left(rpm(5)) == 5

    async def test_what_a_budget_refuses_charges_no_limit(self, harness: AdmissionHarness) -> None:
        desk = desk_of(harness)
        key, team = await desk.opened("key", 100), await desk.opened("team", 59)

        refused = await harness.admission.admit(asking(harness, 60, (key, team), *every_limit(5), tokens=3))

        assert refused == Refused(BudgetId("team"), team.of.period.id, 59, 0, 0)
        assert await desk.money(key.of) == (0, 0)
        assert [await harness.left(limit) for limit in every_limit(5)] == [5] * 7

    async def test_budgets_whose_past_is_unknown_charge_no_limit(self, harness: AdmissionHarness) -> None:
        desk = desk_of(harness)
        known, new = await desk.opened("known", 100), desk.charge("new", 100)
        request = asking(harness, 60, (known, new), *every_limit(5), tokens=3)

        assert await harness.admission.admit(request) == Unverified((BudgetId("new"),))
        assert [await harness.left(limit) for limit in every_limit(5)] == [5] * 7

        await desk.reseed(new.of, 40)
        assert isinstance(await harness.admission.admit(request), CallerAdmitted)

    async def test_limits_are_judged_before_budgets(self, harness: AdmissionHarness) -> None:
        key = await desk_of(harness).opened("key", 10)
        await harness.take(rpm(1))

        refused = await harness.admission.admit(asking(harness, 60, (key,), rpm(1)))

        assert isinstance(refused, CallerRefused)

    async def test_repeated_it_answers_as_before_and_reserves_nothing_more(self, harness: AdmissionHarness) -> None:
        desk = desk_of(harness)
        key = await desk.opened("key", 100)
        request = asking(harness, 60, (key,), *every_limit(3), tokens=1)
        first = await harness.admission.admit(request)
        await harness.take(*every_limit(3), tokens=1)
        await desk.held("other", 40, key)
        harness.clock.advance(2 * SECOND_US)

        assert await harness.admission.admit(request) == first

        assert await desk.money(key.of) == (0, 100)
        assert [await harness.left(limit) for limit in every_limit(3)] == [1] * 7

    async def test_repeated_after_its_end_it_tells_how_the_reservation_ended(self, harness: AdmissionHarness) -> None:
        desk = desk_of(harness)
        key = await desk.opened("key", 100)
        request = asking(harness, 60, (key,), rpm(5))
        first = await harness.admission.admit(request)
        resolved = await desk.budgets.settle(ACCOUNT, attempt_of(request), 25)

        again = await harness.admission.admit(request)

        assert isinstance(first, CallerAdmitted)
        assert isinstance(again, CallerAdmitted)
        assert again == replace(first, reserved=resolved)
        assert isinstance(resolved, Resolved)
        assert resolved.kind is ResolutionKind.SETTLED

    async def test_the_end_of_its_limits_leaves_the_reservation(self, harness: AdmissionHarness) -> None:
        desk = desk_of(harness)
        key = await desk.opened("key", 100)
        settled, released = (asking(harness, 30, (key,), rpm(5), tpm(10), parallel(5), tokens=4) for _ in range(2))
        for request in (settled, released):
            assert isinstance(await harness.admission.admit(request), CallerAdmitted)

        await harness.admission.settle(settled, 1)
        await harness.admission.release(released)

        assert await desk.money(key.of) == (0, 60)
        assert [await harness.left(limit) for limit in (rpm(5), tpm(10), parallel(5))] == [4, 9, 5]
        await desk.budgets.release(ACCOUNT, attempt_of(released))
        assert await desk.money(key.of) == (0, 30)

    async def test_later_attempts_reserve_beside_the_first(self, harness: AdmissionHarness) -> None:
        desk = desk_of(harness)
        key = await desk.opened("key", 100)
        request = asking(harness, 60, (key,), rpm(5))
        await harness.admission.admit(request)
        assert request.reservation is not None
        second = replace(request.reservation, attempt_id=AttemptId(request.request_id, 2), amount_nano=40)

        assert isinstance(await desk.budgets.reserve(ACCOUNT, second), Reserved)

        assert await desk.money(key.of) == (0, 100)

    async def test_a_soft_budget_refuses_nothing(self, harness: AdmissionHarness) -> None:
        desk = desk_of(harness)
        soft = desk.charge("soft", 10, hard=False)

        answer = await harness.admission.admit(asking(harness, 60, (soft,), rpm(5)))

        assert isinstance(answer, CallerAdmitted)
        assert isinstance(answer.reserved, Reserved)
        assert [standing.verified for standing in answer.reserved.standings] == [False]

    async def test_of_many_at_once_money_and_limits_admit_the_same(self, harness: AdmissionHarness) -> None:
        desk = desk_of(harness)
        key = await desk.opened("key", 500)

        async def ask(number: int) -> CallerAnswer:
            return await harness.admission.admit(asking(harness, 100, (key,), rpm(7 if number % 2 else 9), parallel(9)))

        answers = await asyncio.gather(*(ask(number) for number in range(40)))

        assert sum(isinstance(answer, CallerAdmitted) for answer in answers) == 5
        assert sum(isinstance(answer, Refused) for answer in answers) == 35
        assert await desk.money(key.of) == (0, 500)
        assert (await harness.left(rpm(9)), await harness.left(parallel(9))) == (4, 4)


def desk_of(harness: AdmissionHarness) -> Desk:
    """The budgets of the harness's account."""
    assert harness.budgets is not None
    return Desk(harness.budgets, harness.clock)


def asking(
    harness: AdmissionHarness, amount_nano: int, charges: tuple[Charge, ...], *limits: Limit, tokens: int = 0
) -> CallerAdmissionRequest:
    """A request under an id of its own that wants to reserve for its first attempt."""
    request = harness.request(*limits, tokens=tokens, account=ACCOUNT)
    return replace(request, reservation=Reservation(AttemptId(request.request_id, 1), charges, amount_nano, 1, TTL_US))


def attempt_of(request: CallerAdmissionRequest) -> AttemptId:
    """What its reservation goes by."""
    assert request.reservation is not None
    return request.reservation.attempt_id
