"""Attempts that nobody could be asked about: what they cost reaches the store once, whatever else is under way."""

from dataclasses import replace
from typing import Any

from adapters.testing.virtual_time import run_virtual
from domain.budget.charge import AccountId, AttemptId
from domain.limits.admission import CallerAdmissionRequest, CallerAdmitted
from tests.unit.billing.tenant import TEAM, balance, gateway, ledgered, tenant
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
        assert {budget for _, budget in one.doubts._due} >= {"team:T"}

    run_virtual(scenario())
