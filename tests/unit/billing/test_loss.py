"""A store of budgets that loses its data is given back what the ledger does not have, and the ledger's sum."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from adapters.testing.scripted_provider import Act
from adapters.testing.virtual_time import run_virtual
from application.errors import BudgetExceeded, StateUnavailable
from domain.budget.charge import AccountId, AttemptId
from domain.chat import Usage
from domain.durations import SECOND_US
from domain.identifiers import RequestId
from tests.unit.billing.tenant import KEY, MEMBER, TEAM, balance, gateway, ledgered, priced, script, tenant
from tests.unit.dispatch.gateway import Gateway

ALL = (KEY, MEMBER, TEAM)


async def ask(one: Gateway, amount_nano: int = 100) -> int:
    budgets = (replace(KEY, amount_nano=amount_nano), MEMBER, TEAM)
    return int((await one.complete("gpt", caller=tenant(*budgets))).cost_nano)


def test_a_new_budget_begins_with_what_the_ledger_says() -> None:
    async def scenario() -> None:
        one = gateway()
        for _ in range(3):
            await one.complete("gpt", caller=tenant())
        await ledgered(one)

        with pytest.raises(BudgetExceeded, match=r"0\.000000045 are spent"):
            await ask(one, 74)
        await ask(one, 75)

        assert (await balance(one)).settled_nano == 60

    run_virtual(scenario())


def test_audit_5_3_a_budget_that_is_not_known_admits_nobody_before_the_ledger_has_been_asked() -> None:
    async def scenario() -> None:
        one = gateway()
        for _ in range(3):
            await ask(one)
        await ledgered(one)
        one.lose_budgets()
        lost_us = one.clock.monotonic_us()

        with pytest.raises(BudgetExceeded):
            await ask(one, 74)
        waited_us = one.clock.monotonic_us() - lost_us
        await ask(one, 75)

        assert waited_us <= 2 * SECOND_US
        assert [(await balance(one, terms)).settled_nano for terms in ALL] == [60, 60, 60]

    run_virtual(scenario())


def test_usage_on_its_way_to_the_ledger_is_counted_once_after_a_loss() -> None:
    async def scenario(arrives_us: int) -> None:
        one = gateway()
        for _ in range(2):
            await ask(one)
        await ledgered(one)
        await ask(one)
        await one.spends.drain()
        one.lose_budgets()
        watching = asyncio.create_task(one.spends.run())
        asking = asyncio.create_task(ask(one))
        await one.clock.sleep(arrives_us)
        await ledgered(one)
        await asking
        await one.clock.sleep(3 * SECOND_US)

        for terms in ALL:
            found = await balance(one, terms)
            assert (found.settled_nano, found.reserved_nano) == (60, 0)
        watching.cancel()

    for arrives_us in (0, 100_000, 900_000, 1_050_000, 2_000_000):
        run_virtual(scenario(arrives_us))


def test_what_runs_while_the_store_loses_everything_is_settled_in_the_end() -> None:
    async def scenario(ends_us: int) -> None:
        one = gateway()
        await ask(one)
        await ledgered(one)
        script(one, "a", Act(delay_us=SECOND_US + ends_us, usage=Usage(10, 9)))
        running = asyncio.create_task(ask(one))
        await one.clock.sleep(SECOND_US)
        one.lose_budgets()
        watching = asyncio.create_task(one.spends.run())
        await running
        await ask(one)
        await one.clock.sleep(3 * SECOND_US)

        for terms in ALL:
            found = await balance(one, terms)
            assert (found.settled_nano, found.reserved_nano) == (15 + 19 + 15, 0)
        watching.cancel()

    for ends_us in (10_000, 260_000, 990_000, 1_300_000):
        run_virtual(scenario(ends_us))


def test_what_runs_is_held_again_before_anything_else_is_admitted() -> None:
    async def scenario() -> None:
        one = gateway()
        script(one, "a", Act(delay_us=60 * SECOND_US))
        running = asyncio.create_task(ask(one, 59))
        watching = asyncio.create_task(one.spends.run())
        await one.clock.sleep(SECOND_US + 1)
        one.lose_budgets()

        with pytest.raises(BudgetExceeded):
            await ask(one, 59)

        running.cancel()
        watching.cancel()
        await asyncio.wait([running, watching])

    run_virtual(scenario())


def test_what_has_ended_is_restored_at_what_it_cost() -> None:
    async def scenario() -> None:
        one = gateway()
        await ask(one)
        await one.spends.drain()
        one.lose_budgets()

        await one.spends.look()

        of = KEY.period(one.clock.now_us())
        assert (await one.budgets.inspect(AccountId("team:T"), (of,))).balances[0].reserved_nano == 15

    run_virtual(scenario())


def test_a_settlement_that_the_store_did_not_take_is_tried_again() -> None:
    async def scenario() -> None:
        one = gateway()
        took = one.budgets.settle
        refusals = iter([True, True, False])

        async def settle(account: AccountId, attempt_id: object, actual_nano: int) -> object:
            if next(refusals, False):
                raise StateUnavailable("away")
            return await took(account, attempt_id, actual_nano)  # type: ignore[arg-type]

        one.budgets.settle = settle  # type: ignore[method-assign, assignment]
        watching = asyncio.create_task(one.spends.run())
        await ask(one)
        await one.clock.sleep(2 * SECOND_US)

        found = await balance(one)
        assert (found.settled_nano, found.reserved_nano) == (15, 0)
        watching.cancel()

    run_virtual(scenario())


def test_a_dead_process_s_attempt_is_settled_by_whoever_adopts_it() -> None:
    async def scenario() -> None:
        one = gateway(priced("gpt", "a", max_output_tokens=20))
        script(one, "a", Act(hang=True))
        running = asyncio.create_task(ask(one))
        await one.clock.sleep(1)
        (intent,) = one.journal._open.values()
        assert (await balance(one)).reserved_nano == 30

        await one.spends.adopted(intent.unresolved())

        found = await balance(one)
        assert (found.settled_nano, found.reserved_nano) == (30, 0)
        running.cancel()
        await asyncio.wait([running])

    run_virtual(scenario())


def test_a_loss_while_a_budget_is_rebuilt_is_waited_for_like_any_other() -> None:
    """Who waits for its turn to rebuild has it at once when the store loses its locks, too."""

    async def scenario() -> None:
        one = gateway()
        await ask(one)
        await one.spends.drain()
        inspect, losses = one.budgets.inspect, [one.lose_budgets]

        async def lost_meanwhile(*asked: Any) -> Any:
            while losses:
                losses.pop()()
            return await inspect(*asked)

        one.budgets.inspect = lost_meanwhile  # type: ignore[method-assign, assignment]
        watching = asyncio.create_task(one.spends.run())
        await one.verification.verify(AccountId("team:T"), [terms.period(one.clock.now_us()) for terms in ALL])

        # What was spent is on its way to the ledger: before it is brought back, there is room for no other.
        with pytest.raises(BudgetExceeded):
            await ask(one, 40)
        watching.cancel()

    run_virtual(scenario())


def test_a_loss_while_a_budget_is_compared_lifts_nothing() -> None:
    async def scenario() -> None:
        one = gateway()
        await ask(one)
        await ledgered(one)
        await one.spends.drain()
        inspect, losses = one.budgets.inspect, [one.lose_budgets]

        async def lost_after(*asked: Any) -> Any:
            found = await inspect(*asked)
            # As if the store had missed some, so that there is something to lift.
            found = replace(found, balances=tuple(replace(each, settled_nano=1) for each in found.balances))
            while losses:
                losses.pop()()
            return found

        one.budgets.inspect = lost_after  # type: ignore[method-assign, assignment]
        await one.verification.recount(AccountId("team:T"), TEAM.period(one.clock.now_us()))
        one.budgets.inspect = inspect  # type: ignore[method-assign]

        # Verified, it would admit before all that is open has been brought back.
        assert (await balance(one, TEAM)).epoch == 0

    run_virtual(scenario())


def test_a_reservation_heard_of_while_others_are_brought_back_is_brought_back_too() -> None:
    async def scenario() -> None:
        one = gateway()
        script(one, "a", Act(delay_us=5 * SECOND_US))
        asking = asyncio.create_task(ask(one))
        await one.clock.sleep(SECOND_US)
        (running,) = one.spends._spends.values()
        reserve = one.budgets.reserve

        async def slowly(*asked: Any) -> Any:
            await one.clock.sleep(SECOND_US // 10)
            return await reserve(*asked)

        one.budgets.reserve = slowly  # type: ignore[method-assign, assignment]
        one.lose_budgets()
        looking = asyncio.create_task(one.spends.look())
        await one.clock.sleep(SECOND_US // 20)
        # The store made it before the loss.
        one.spends.hold(running.account, replace(running.reservation, attempt_id=AttemptId(RequestId("late"), 1)))
        await looking
        await one.clock.sleep(SECOND_US // 5)

        assert [(await balance(one, terms)).reserved_nano for terms in ALL] == [60, 60, 60]
        await asking

    run_virtual(scenario())
