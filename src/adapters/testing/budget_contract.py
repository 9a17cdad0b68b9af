"""The contract of Budgets: inherit `BudgetContract`, give it `desk`, and every test must pass."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from adapters.testing.budget_periods_contract import BudgetPeriodsContract
from adapters.testing.budget_support import ACCOUNT, TTL_US, Desk, attempt
from domain.budget.answers import Crossing, Refused, Reserved, ResolutionKind, Resolved
from domain.budget.charge import LARGEST_LIMIT_NANO, LARGEST_NANO, AccountId, BudgetId, Reservation

# More digits than `%.14g` keeps.
LONG_NANO = 8_123_456_789_012_345


class BudgetContract(BudgetPeriodsContract):
    """Wants `desk`: a Desk of new Budgets at a ManualClock."""

    async def test_what_is_reserved_counts_until_it_is_settled(self, desk: Desk) -> None:
        key = await desk.opened("key", 100)

        held = await desk.held("r", 60, key)
        assert (held.amount_nano, held.expires_us) == (60, desk.clock.now_us() + TTL_US)
        assert await desk.money(key.of) == (0, 60)
        await desk.settle("r", 25)

        assert await desk.money(key.of) == (25, 0)

    async def test_the_limit_itself_fits_and_one_more_does_not(self, desk: Desk) -> None:
        key = await desk.opened("key", LONG_NANO, settled_nano=345)

        refused = await desk.reserve("r1", LONG_NANO - 344, key)
        await desk.held("r2", LONG_NANO - 345, key)

        assert refused == Refused(BudgetId("key"), key.of.period.id, LONG_NANO, 345, 0)
        assert await desk.reserve("r3", 1, key) == Refused(
            BudgetId("key"), key.of.period.id, LONG_NANO, 345, LONG_NANO - 345
        )

    async def test_all_budgets_hold_the_amount_or_none_does(self, desk: Desk) -> None:
        key, member, account = (
            await desk.opened("key", 100),
            await desk.opened("member", 50),
            await desk.opened("a", 10),
        )

        refused = await desk.reserve("r1", 60, key, member, account)
        assert isinstance(refused, Refused)
        assert refused.budget == "member"
        assert [await desk.money(charge.of) for charge in (key, member, account)] == [(0, 0)] * 3

        held = await desk.held("r2", 10, key, member, account)
        assert [(s.budget, s.limit_nano, s.reserved_nano) for s in held.standings] == [
            ("key", 100, 10),
            ("member", 50, 10),
            ("a", 10, 10),
        ]
        assert [await desk.money(charge.of) for charge in (key, member, account)] == [(0, 10)] * 3

    async def test_a_refused_attempt_may_ask_again(self, desk: Desk) -> None:
        key = await desk.opened("key", 100)
        await desk.held("first", 80, key)
        assert isinstance(await desk.reserve("r", 30, key), Refused)

        await desk.release("first")

        await desk.held("r", 30, key)

    async def test_reserving_again_answers_as_before_and_holds_nothing_more(self, desk: Desk) -> None:
        key = await desk.opened("key", 100)
        first = await desk.held("r", 80, key)
        await desk.held("other", 20, key)
        desk.clock.advance(TTL_US)

        assert await desk.reserve("r", 80, key) == first
        assert await desk.reserve("r", 7, key) == first
        assert await desk.money(key.of) == (0, 100)

    async def test_attempts_of_one_request_hold_apart(self, desk: Desk) -> None:
        key = await desk.opened("key", 100)
        for number in (1, 2):
            await desk.budgets.reserve(ACCOUNT, Reservation(attempt("r:1", number), (key,), 40, 1, TTL_US))

        await desk.budgets.settle(ACCOUNT, attempt("r:1", 2), 15)

        assert await desk.money(key.of) == (15, 40)

    async def test_settling_again_changes_nothing_and_answers_as_before(self, desk: Desk) -> None:
        key = await desk.opened("key", 100)
        await desk.held("r", 60, key)
        first = await desk.settle("r", 25)
        assert first is not None
        assert (first.kind, first.amount_nano, first.actual_nano) == (ResolutionKind.SETTLED, 60, 25)
        await desk.held("other", 5, key)

        assert await desk.settle("r", 25) == first
        assert await desk.settle("r", 99) == first
        assert await desk.release("r") == first
        assert await desk.reserve("r", 60, key) == first
        assert await desk.money(key.of) == (25, 5)

    async def test_what_was_released_is_not_settled(self, desk: Desk) -> None:
        key = await desk.opened("key", 100)
        await desk.held("r", 60, key)
        first = await desk.release("r")
        assert first is not None
        assert (first.kind, first.actual_nano) == (ResolutionKind.RELEASED, 0)

        assert await desk.settle("r", 25) == first
        assert await desk.money(key.of) == (0, 0)

    async def test_what_was_never_reserved_books_nothing(self, desk: Desk) -> None:
        key = await desk.opened("key", 100)

        assert await desk.settle("r", 25) is None
        assert await desk.release("r") is None
        assert await desk.money(key.of) == (0, 0)

    async def test_an_attempt_that_cost_more_than_was_reserved_is_booked_whole(self, desk: Desk) -> None:
        key = await desk.opened("key", 100)
        await desk.held("r", 60, key)

        await desk.settle("r", 130)

        assert await desk.money(key.of) == (130, 0)
        assert isinstance(await desk.reserve("free", 0, key), Refused)

    async def test_a_soft_budget_counts_what_it_would_refuse(self, desk: Desk) -> None:
        soft, hard = await desk.opened("soft", 100, hard=False), await desk.opened("hard", 500)

        crossings = [
            (await desk.held(f"r{n}", amount, soft, hard)).crossings for n, amount in enumerate((79, 1, 19, 1))
        ]

        expected = [Crossing(BudgetId("soft"), soft.of.period.id, percent, hard=False) for percent in (80, 100)]
        assert crossings == [(), (expected[0],), (), (expected[1],)]
        await desk.held("r5", 300, soft, hard)
        assert await desk.money(soft.of) == (0, 400)

    async def test_settled_money_crosses_each_mark_once(self, desk: Desk) -> None:
        key = await desk.opened("key", 100)
        marks: list[tuple[int, ...]] = []
        for number, actual in enumerate((79, 21)):
            await desk.held(f"r{number}", 10, key)
            resolved = await desk.settle(f"r{number}", actual)
            assert resolved is not None
            marks.append(tuple(crossing.percent for crossing in resolved.crossings))

        assert marks == [(), (80, 100)]

    async def test_fifty_at_once_against_a_budget_for_one_admit_one(self, desk: Desk) -> None:
        key, account = await desk.opened("key", 100), await desk.opened("account", 100)

        answers = await asyncio.gather(*(desk.reserve(f"r{number}", 100, key, account) for number in range(50)))

        assert Counter(type(answer) for answer in answers) == {Reserved: 1, Refused: 49}
        assert await desk.money(account.of) == (0, 100)

    async def test_fifty_settlements_of_one_attempt_book_once(self, desk: Desk) -> None:
        key = await desk.opened("key", 100)
        await desk.held("r", 60, key)

        answers = await asyncio.gather(*(desk.settle("r", number) for number in range(1, 51)))

        assert all(isinstance(answer, Resolved) for answer in answers)
        assert len(set(answers)) == 1
        assert (await desk.money(key.of))[1] == 0

    async def test_large_amounts_keep_every_digit(self, desk: Desk) -> None:
        key = await desk.opened("key", LARGEST_LIMIT_NANO, settled_nano=876_543_210_987_654)

        held = await desk.held("r", LONG_NANO, key)
        resolved = await desk.settle("r", LONG_NANO - 2)

        assert held.standings[0].reserved_nano == held.amount_nano == LONG_NANO
        assert resolved is not None
        assert resolved.actual_nano == LONG_NANO - 2
        assert resolved.standings[0].settled_nano == 876_543_210_987_654 + LONG_NANO - 2
        assert await desk.money(key.of) == (876_543_210_987_654 + LONG_NANO - 2, 0)

    async def test_a_counter_stops_where_it_would_lose_digits(self, desk: Desk) -> None:
        soft = await desk.opened("soft", 100, hard=False, settled_nano=LARGEST_NANO - 10)

        assert isinstance(await desk.reserve("r1", 11, soft), Refused)
        await desk.held("r2", 10, soft)
        await desk.settle("r2", 11)

        assert await desk.money(soft.of) == (LARGEST_NANO, 0)

    @pytest.mark.parametrize("amount", [-1, 0.5, 1.0, True, LARGEST_NANO + 1, 2**64, "1", None])
    async def test_what_is_no_amount_is_refused_before_it_counts(self, desk: Desk, amount: Any) -> None:
        key = await desk.opened("key", 100)
        await desk.held("r", 60, key)

        with pytest.raises(ValueError, match="nano-dollars"):
            await desk.settle("r", amount)
        with pytest.raises(ValueError, match="nano-dollars"):
            await desk.reserve("r2", amount, key)
        with pytest.raises(ValueError, match="nano-dollars"):
            await desk.reseed(key.of, amount)

        assert await desk.money(key.of) == (0, 60)

    async def test_accounts_know_nothing_of_each_other(self, desk: Desk) -> None:
        key = await desk.opened("key", 100)
        await desk.held("r", 60, key)
        other = AccountId("team-2")

        assert await desk.budgets.settle(other, attempt("r"), 5) is None
        inspection = await desk.budgets.inspect(other, (key.of,))

        assert (inspection.balances[0].reserved_nano, inspection.balances[0].epoch) == (0, 0)
