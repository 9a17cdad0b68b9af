"""Attempts that were given up before anything of them had left: nobody owes anything for them."""

import asyncio

import pytest

from adapters.testing.scripted_provider import Act
from adapters.testing.virtual_time import run_virtual
from application.errors import GatewayError
from domain.budget.charge import AccountId
from domain.budget.terms import BudgetOwner, BudgetTerms, OwnerKind
from domain.callers import Caller, CallerKind
from domain.catalog import Catalog, RouterPolicy
from domain.durations import SECOND_US
from tests.unit.dispatch.gateway import Gateway, member, models

TERMS = BudgetTerms(BudgetOwner(OwnerKind.KEY, "k"), 10**9)
CALLER = Caller(CallerKind.KEY, "k", budgets=(TERMS,))


def hanging_gateway() -> Gateway:
    gateway = Gateway(
        Catalog(models(member("gpt", "one"))),
        policy=RouterPolicy(default_timeout_us=SECOND_US, instance_retry_attempts=0, enable_failover=False),
    )
    gateway.upstream("one").otherwise = Act(hang=True)
    return gateway


async def ask_until_sent(gateway: Gateway, *, has_left: bool | None) -> "asyncio.Task[object]":
    asking: asyncio.Task[object] = asyncio.ensure_future(gateway.complete("gpt", caller=CALLER))
    while not gateway.upstream("one").calls:  # noqa: ASYNC110 - the scripted provider tells by no event
        await asyncio.sleep(0)
    gateway.upstream("one").calls[0].departure.has_left = has_left
    return asking


async def reserved_nano(gateway: Gateway) -> int:
    await gateway.spends.drain()
    period = TERMS.period(gateway.clock.now_us())
    [balance] = (await gateway.budgets.inspect(AccountId(CALLER.account), (period,))).balances
    return balance.reserved_nano


@pytest.mark.parametrize(("has_left", "rows"), [(False, 0), (True, 1), (None, 1)])
def test_a_client_that_leaves_pays_for_what_has_left_or_may_have(has_left: bool | None, rows: int) -> None:
    async def main() -> None:
        gateway = hanging_gateway()
        asking = await ask_until_sent(gateway, has_left=has_left)

        asking.cancel()
        await asyncio.wait([asking])

        assert len(gateway.records()) == rows
        assert await reserved_nano(gateway) == 0

    run_virtual(main())


@pytest.mark.parametrize(("has_left", "rows"), [(False, 0), (True, 1), (None, 1)])
def test_time_that_runs_out_before_anything_has_left_costs_nothing(has_left: bool | None, rows: int) -> None:
    async def main() -> None:
        gateway = hanging_gateway()
        asking = await ask_until_sent(gateway, has_left=has_left)

        with pytest.raises(GatewayError):
            await asking

        assert len(gateway.records()) == rows
        assert await reserved_nano(gateway) == 0

    run_virtual(main())
