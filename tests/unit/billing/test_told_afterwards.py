"""Attempts that nobody could be asked about: what they cost reaches the store once, whatever else is under way."""

from dataclasses import replace
from typing import Any

import pytest

from adapters.testing.scripted_provider import fails
from adapters.testing.virtual_time import run_virtual
from application.errors import GatewayError, StateUnavailable
from domain.budget.charge import AccountId, AttemptId, Charge, Reservation
from domain.durations import SECOND_US
from domain.failure import FailureKind
from domain.identifiers import RequestId
from domain.limits.admission import CallerAdmissionRequest, CallerAdmitted
from domain.routing.admission import AdmissionRequest, Admitted, NotAdmitted
from tests.unit.billing.tenant import TEAM, balance, gateway, ledgered, script, tenant
from tests.unit.dispatch.gateway import Gateway

ACCOUNT = AccountId("team:T")


def alone(one: Gateway) -> list[AttemptId]:
    """The store of limits and budgets does not answer; what it was asked to reserve."""
    asked: list[AttemptId] = []

    async def admit(request: CallerAdmissionRequest) -> CallerAdmitted:
        assert request.reservation is not None
        asked.append(request.reservation.attempt_id)
        return CallerAdmitted((), degraded=True)

    one.admission.admit = admit  # type: ignore[method-assign]
    return asked


def test_what_is_told_afterwards_is_not_taken_back_with_the_admission_that_was_lost() -> None:
    async def scenario() -> None:
        one = gateway()
        asked = alone(one)
        settle = one.budgets.settle

        async def settle_after_withdrawal(*words: Any) -> Any:
            await one.budgets.release(ACCOUNT, asked[0])
            return await settle(*words)

        one.budgets.settle = settle_after_withdrawal  # type: ignore[method-assign, assignment]
        await one.complete("gpt", caller=tenant(TEAM))

        found = await balance(one, TEAM)

        assert (found.settled_nano, found.reserved_nano) == (15, 0)

    run_virtual(scenario())


def test_what_is_told_afterwards_is_forgotten_when_the_ledger_has_it() -> None:
    async def scenario() -> None:
        one = gateway()
        alone(one)
        await one.complete("gpt", caller=tenant(TEAM))
        await one.spends.drain()

        await ledgered(one)

        assert one.spends.remembered == 0

    run_virtual(scenario())


def test_a_dead_process_s_end_that_its_disk_did_not_take_puts_the_budget_in_doubt() -> None:
    async def scenario() -> None:
        one = gateway()
        await one.complete("gpt", caller=tenant(TEAM))
        await one.spends.drain()
        (record,) = one.records()
        one.doubts._due.clear()

        await one.spends.adopted(record)
        assert one.doubts._due == []

        await one.spends.adopted(replace(record, cost_nano=30))
        assert {budget for _, budget, _ in one.doubts._due} >= {"team:T"}

    run_virtual(scenario())


def test_what_was_reserved_unheard_for_an_attempt_that_never_ran_is_given_back() -> None:
    async def scenario() -> None:
        one = gateway()
        script(one, "a", fails(FailureKind.SERVER_ERROR))
        reserve, admit = one.budgets.reserve, one.routing.admit
        reserved: list[AttemptId] = []
        admitted: list[Admitted | NotAdmitted] = []

        async def unheard(*words: Any) -> Any:
            await reserve(*words)
            reserved.append(words[1].attempt_id)
            raise StateUnavailable("nobody heard the answer")

        async def admits_once(request: AdmissionRequest) -> Admitted | NotAdmitted:
            admitted.append(NotAdmitted(()) if admitted else await admit(request))
            return admitted[-1]

        one.budgets.reserve = unheard  # type: ignore[method-assign, assignment]
        one.routing.admit = admits_once  # type: ignore[method-assign]
        soft = replace(TEAM, hard=False)
        with pytest.raises(GatewayError):
            await one.complete("gpt", caller=tenant(soft))
        assert [attempt.attempt for attempt in reserved] == [2]

        assert (await balance(one, soft)).reserved_nano == 0

    run_virtual(scenario())


@pytest.mark.parametrize("hard", [False, True])
def test_a_reservation_that_arrives_after_it_was_given_back_is_given_back_again(hard: bool) -> None:
    async def scenario() -> None:
        one, terms = gateway(), replace(TEAM, hard=hard)
        await one.complete("gpt", caller=tenant(terms))
        script(one, "a", fails(FailureKind.SERVER_ERROR))
        reserve, admit = one.budgets.reserve, one.routing.admit
        late: list[Any] = []
        admitted: list[Admitted | NotAdmitted] = []

        async def lost(*words: Any) -> Any:
            late.extend(words)
            raise StateUnavailable("on its way")

        async def admits_once(request: AdmissionRequest) -> Admitted | NotAdmitted:
            admitted.append(NotAdmitted(()) if admitted else await admit(request))
            return admitted[-1]

        one.budgets.reserve = lost  # type: ignore[method-assign, assignment]
        one.routing.admit = admits_once  # type: ignore[method-assign]
        with pytest.raises(GatewayError):
            await one.complete("gpt", caller=tenant(terms))
        await one.spends.look()
        await one.clock.sleep(3 * SECOND_US)
        await reserve(*late)
        assert (await balance(one, terms)).reserved_nano == 30

        await one.spends.look()

        assert (await balance(one, terms)).reserved_nano == 0
        await one.clock.sleep(3 * SECOND_US)
        await one.spends.look()
        await one.spends.drain()
        await ledgered(one)
        assert one.spends.remembered == 0

    run_virtual(scenario())


def test_a_reservation_that_never_arrives_is_not_looked_for_for_ever() -> None:
    async def scenario() -> None:
        one = gateway()
        of = TEAM.period(one.clock.now_us())
        asked = Reservation(AttemptId(RequestId("r"), 2), (Charge(of, 100),), 30, 1, SECOND_US)
        one.spends.hold(ACCOUNT, asked, is_missing=True)
        one.spends.release(asked.attempt_id)
        for _ in range(2):
            await one.spends.drain()
            assert one.spends.remembered == 1
            await one.clock.sleep(3 * SECOND_US)
            await one.spends.look()
        await one.spends.drain()

        assert one.spends.remembered == 0

    run_virtual(scenario())
