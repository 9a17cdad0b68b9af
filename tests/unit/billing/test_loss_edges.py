"""What is told late, twice, or never, while a store loses what it has."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from adapters.outbound.memory.admin_store import MemoryAdminStore
from adapters.outbound.memory.lock import MemoryLock
from adapters.outbound.memory.tenants import MemoryTenants
from adapters.testing.doubles import SeededRandomness
from adapters.testing.scripted_provider import Act, fails
from adapters.testing.virtual_time import run_virtual
from application.errors import BudgetExceeded, StateUnavailable
from application.spending.doubts import LOOK_AGAIN_AFTER_US
from application.spending.reconciliation import Reconciliation
from domain.audit import Change
from domain.budget.charge import AccountId
from domain.budget.terms import BudgetTerms
from domain.chat import Usage
from domain.durations import SECOND_US
from domain.failure import FailureKind
from domain.tenants import Team, TeamId
from tests.unit.billing.tenant import TEAM, balance, gateway, ledgered, priced, script, tenant
from tests.unit.dispatch.gateway import Gateway


async def ask(one: Gateway, amount_nano: int = 100, **changes: Any) -> int:
    return int((await one.complete("gpt", caller=tenant(replace(TEAM, amount_nano=amount_nano)), **changes)).cost_nano)


async def stands(one: Gateway, terms: BudgetTerms = TEAM) -> tuple[int, int]:
    found = await balance(one, terms)
    return found.settled_nano, found.reserved_nano


async def reconciliation(one: Gateway) -> tuple[Reconciliation, MemoryAdminStore]:
    store = MemoryAdminStore(MemoryTenants(), one.clock)
    items = (Team(TeamId("T"), "t"), TEAM)
    await store.apply([Change("create", "x:1", None, item) for item in items], "test")
    compare = Reconciliation(
        store, one.verification, MemoryLock(one.clock), one.clock, SeededRandomness(), one.events, one.doubts
    )
    return compare, store


def test_a_store_that_restarts_with_its_data_is_given_nothing_twice() -> None:
    async def scenario() -> None:
        one = gateway()
        await ask(one)
        await one.spends.drain()
        await one.clock.sleep(150 * SECOND_US)
        for _ in range(3):
            one.epochs.rise()
            await one.spends.look()
            await one.spends.drain()
            await one.clock.sleep(150 * SECOND_US)

        assert await stands(one) == (15, 0)

    run_virtual(scenario())


def test_what_was_booked_long_ago_is_restored_to_a_store_that_is_empty() -> None:
    async def scenario() -> None:
        one = gateway()
        await ask(one)
        await one.spends.drain()
        await one.clock.sleep(150 * SECOND_US)
        one.lose_budgets()
        await one.spends.look()
        await one.spends.look()

        await ask(one)

        assert await stands(one) == (30, 0)

    run_virtual(scenario())


def test_what_the_ledger_has_is_not_restored() -> None:
    async def scenario() -> None:
        one = gateway()
        for _ in range(3):
            await ask(one)
        await one.spends.drain()
        await one.ledger.insert(one.records())
        one.lose_budgets()
        await one.clock.sleep(2 * SECOND_US)
        with pytest.raises(BudgetExceeded):
            await ask(one, 46)

        await one.spends.look()
        await one.spends.look()

        assert await stands(one) == (45, 0)

    run_virtual(scenario())


def test_a_retry_whose_reservation_nobody_heard_of_leaves_nothing_held() -> None:
    async def scenario() -> None:
        one = gateway(priced("gpt", "a", priority=2, max_output_tokens=20), priced("gpt", "b", max_output_tokens=20))
        script(one, "a", fails(FailureKind.SERVER_ERROR, status=500))
        reserve = one.budgets.reserve

        async def unheard(*asked: Any) -> Any:
            await reserve(*asked)
            raise StateUnavailable("the answer was lost")

        one.budgets.reserve = unheard  # type: ignore[method-assign, assignment]

        with pytest.raises(StateUnavailable):
            await ask(one)

        assert await stands(one) == (0, 0)
        assert one.calls() == {"a": 1}

    run_virtual(scenario())


def test_a_release_that_the_store_did_not_take_is_tried_again_and_forgotten() -> None:
    async def scenario() -> None:
        one = gateway()
        script(one, "a", fails(FailureKind.CONNECT))
        release, settle = one.budgets.release, one.budgets.settle

        async def away(*_: Any) -> Any:
            raise StateUnavailable("away")

        one.budgets.release = one.budgets.settle = away  # type: ignore[method-assign, assignment]
        assert await ask(one) == 15
        await one.spends.drain()
        one.budgets.release, one.budgets.settle = release, settle  # type: ignore[method-assign]
        await one.spends.look()
        await one.spends.drain()
        assert await stands(one) == (15, 0)
        await ledgered(one)

        assert one.spends.remembered == 0

    run_virtual(scenario())


def test_what_was_withdrawn_and_ran_all_the_same_is_counted() -> None:
    async def scenario() -> None:
        one = gateway()
        await ask(one)
        await one.spends.drain()
        asked: list[Any] = []
        admit = one.admission.admit

        async def alone(request: Any) -> Any:
            await admit(request)
            await one.budgets.release(AccountId("team:T"), request.reservation.attempt_id)
            asked.append(request)
            return await admit(replace(request, request_id="other", reservation=None))

        one.admission.admit = alone  # type: ignore[method-assign]
        await ask(one)

        assert len(asked) == 1
        assert await stands(one) == (30, 0)

    run_virtual(scenario())


def test_a_restore_whose_answer_is_lost_is_settled_only_after_the_rebuilding() -> None:
    async def scenario() -> None:
        one = gateway()
        for _ in range(3):
            await ask(one)
        await ledgered(one)
        script(one, "a", Act(delay_us=5 * SECOND_US, usage=Usage(10, 9)))
        running = asyncio.create_task(ask(one))
        await one.clock.sleep(SECOND_US)
        one.lose_budgets()
        reserve = one.budgets.reserve

        async def unheard(*asked: Any) -> Any:
            await reserve(*asked)
            raise StateUnavailable("the answer was lost")

        one.budgets.reserve = unheard  # type: ignore[method-assign, assignment]
        with pytest.raises(StateUnavailable):
            await one.spends.look()
        await running
        await one.spends.drain()
        one.budgets.reserve = reserve  # type: ignore[method-assign]
        await one.spends.look()
        await one.spends.look()

        assert await stands(one) == (45 + 19, 0)

    run_virtual(scenario())


def test_a_new_epoch_is_asked_with_before_everything_is_restored() -> None:
    async def scenario() -> None:
        one = gateway()
        await ask(one)
        one.lose_budgets()
        may_go_on = asyncio.Event()
        reserve = one.budgets.reserve

        async def slow(*asked: Any) -> Any:
            await may_go_on.wait()
            return await reserve(*asked)

        one.budgets.reserve = slow  # type: ignore[method-assign, assignment]
        looking = asyncio.create_task(one.spends.look())
        await one.clock.sleep(1)

        assert one.spends.epoch == 2
        may_go_on.set()
        await looking

    run_virtual(scenario())


def test_a_budget_that_is_set_again_is_compared_now_and_soon() -> None:
    async def scenario() -> None:
        one = gateway()
        compare, _ = await reconciliation(one)
        running = asyncio.create_task(compare.run())
        await ask(one)
        await one.spends.drain()
        for _ in range(2):
            await one.complete("gpt", caller=tenant())
        await ledgered(one)
        compare.changed("budget:team:T")
        await one.complete("gpt", caller=tenant())

        await one.clock.sleep(SECOND_US + 1)
        assert await stands(one) == (45, 0)
        await ledgered(one)
        await one.clock.sleep(LOOK_AGAIN_AFTER_US)

        assert await stands(one) == (60, 0)
        running.cancel()

    run_virtual(scenario())


def test_a_budget_set_under_load_learns_of_what_was_on_its_way() -> None:
    async def scenario() -> None:
        one = gateway()
        compare, _ = await reconciliation(one)
        running = asyncio.create_task(compare.run())
        for _ in range(3):
            await one.complete("gpt", caller=tenant())

        await ask(one)
        await ledgered(one)
        await one.clock.sleep(LOOK_AGAIN_AFTER_US + 2 * SECOND_US)

        assert await stands(one) == (60, 0)
        running.cancel()

    run_virtual(scenario())


def test_what_a_dead_process_left_of_a_lost_store_is_counted_from_the_ledger() -> None:
    async def scenario() -> None:
        one = gateway()
        compare, _ = await reconciliation(one)
        running = asyncio.create_task(compare.run())
        await ask(one)
        await one.complete("gpt", caller=tenant())
        first, other = one.records()
        await one.spends.drain()

        await one.spends.adopted(other)
        await ledgered(one)
        await one.clock.sleep(LOOK_AGAIN_AFTER_US + 2 * SECOND_US)

        assert (first.cost_nano, await stands(one)) == (15, (30, 0))
        running.cancel()

    run_virtual(scenario())


def test_comparing_counts_nothing_twice_that_is_open_and_known() -> None:
    async def scenario() -> None:
        one = gateway()
        compare, _ = await reconciliation(one)
        await ask(one)
        settle = one.budgets.settle

        async def away(*_: Any) -> Any:
            raise StateUnavailable("away")

        await one.spends.drain()
        one.budgets.settle = away  # type: ignore[method-assign, assignment]
        await ask(one)
        await one.spends.drain()
        await one.ledger.insert(one.records())
        one.budgets.settle = settle  # type: ignore[method-assign]

        await compare()
        await one.spends.look()

        assert await stands(one) == (30, 0)

    run_virtual(scenario())


def test_more_than_a_counter_holds_is_refused_or_counted_as_the_most_it_holds() -> None:
    async def scenario() -> None:
        one = gateway(priced("gpt", "a", max_output_tokens=20))
        with pytest.raises(BudgetExceeded):
            await ask(one, max_output_tokens=2**31 - 1, choices=2**24)
        script(one, "a", Act(usage=Usage(2**60, 2**60)))

        await ask(one)
        await one.spends.drain()

        assert one.records()[0].cost_nano == 2**53 - 1
        assert (await stands(one))[0] == 2**53 - 1

    run_virtual(scenario())


def test_a_store_that_never_learns_is_not_asked_for_ever() -> None:
    async def scenario() -> None:
        one = gateway()

        async def forgetful(_account: object, of: Any, *_: Any) -> Any:
            return await one.budgets.inspect(AccountId("team:T"), (of,))

        one.budgets.reseed = forgetful  # type: ignore[method-assign, assignment]

        with pytest.raises(StateUnavailable, match="being rebuilt"):
            await ask(one)
        assert await stands(one) == (0, 0)
        assert one.leases.held == 0

    run_virtual(scenario())


def test_what_is_told_late_and_is_in_the_ledger_already_is_not_counted_twice() -> None:
    async def scenario() -> None:
        one = gateway()
        await ask(one)
        await one.spends.drain()
        settle = one.budgets.settle

        async def away(*_: Any) -> Any:
            raise StateUnavailable("away")

        one.budgets.settle = away  # type: ignore[method-assign, assignment]
        await ask(one)
        await one.spends.drain()
        one.budgets.settle = settle  # type: ignore[method-assign]
        late = next(spend for spend in one.spends._spends.values() if spend.booked_us is None)
        late.is_missing = True
        await one.ledger.insert(one.records())
        one.lose_budgets()
        await one.clock.sleep(2 * SECOND_US)
        with pytest.raises(BudgetExceeded):
            await ask(one, 31)

        await one.spends._book(late)

        assert await stands(one) == (30, 0)

    run_virtual(scenario())


def test_what_arrives_between_the_sum_and_its_booking_is_counted_at_once() -> None:
    async def scenario() -> None:
        one = gateway()
        await ask(one)
        await one.spends.drain()
        one.lose_budgets()
        spent = one.ledger.spent

        async def then_arrives(*asked: Any) -> Any:
            sums = await spent(*asked)
            await one.ledger.insert(one.records())
            return sums

        one.ledger.spent = then_arrives  # type: ignore[method-assign, assignment]
        await one.spends.look()
        await one.spends.look()

        assert await stands(one) == (15, 0)

    run_virtual(scenario())


def test_what_is_brought_back_while_the_sum_is_made_is_counted_once() -> None:
    async def scenario() -> None:
        one = gateway()
        await ask(one)
        await ask(one)
        await one.spends.drain()
        first, second = one.spends._spends.values()
        spent = one.ledger.spent
        one.lose_budgets()
        first.is_missing = second.is_missing = True
        first.booked_us = second.booked_us = None

        async def brought_back_meanwhile(*asked: Any) -> Any:
            one.ledger.spent = spent  # type: ignore[method-assign]
            await one.ledger.insert(one.records())
            await one.spends._restore(second)
            return await spent(*asked)

        one.ledger.spent = brought_back_meanwhile  # type: ignore[method-assign, assignment]
        await one.spends._book(first)
        await one.spends._book(second)

        assert await stands(one) == (30, 0)

    run_virtual(scenario())


def test_what_is_reserved_anew_under_another_id_is_known_to_be_in_the_ledger() -> None:
    async def scenario() -> None:
        one = gateway()
        await ask(one)
        await one.spends.drain()
        (spend,) = one.spends._spends.values()
        one.lose_budgets()
        withdrawn = spend.reservation.attempt_id
        await one.spends._restoring._reserve_again(spend)
        await one.budgets.release(spend.account, withdrawn)
        await one.spends._restore(spend)
        await one.ledger.insert(one.records())

        await one.spends._book(spend)

        assert spend.reservation.attempt_id == withdrawn.anew
        assert await stands(one) == (15, 0)

    run_virtual(scenario())
