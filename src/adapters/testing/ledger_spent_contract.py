"""What the ledger says of budgets. Inherit it and give it `ledger` and `other_ledger`, as for LedgerContract."""

import asyncio
from collections.abc import Sequence
from itertools import accumulate

import pytest

from adapters.testing.ledger_contract import NOON_US, used
from application.ports.ledger import Ledger
from domain.budget.charge import BudgetId, BudgetPeriod
from domain.budget.period import Period

_DAY_US = 86_400_000_000
_MIDNIGHT_US = NOON_US - _DAY_US // 2
_BUDGETS = ("key:k-1", "member:t-1:u-1", "team:t-1", "user:u-1")


def period(budget: str, starts_us: int = 0, ends_us: int | None = None) -> BudgetPeriod:
    """One period of a budget; of all time where not said otherwise."""
    return BudgetPeriod(BudgetId(budget), Period("one", "series", starts_us, ends_us))


async def spent(ledger: Ledger, *budgets: str) -> Sequence[int]:
    """What these have come to in all."""
    answer = await ledger.spent([period(budget) for budget in budgets], ())
    assert set(answer.nano) == set(budgets)
    return [answer.nano[BudgetId(budget)] for budget in budgets]


class LedgerSpentContract:
    """Sums of budgets."""

    async def test_nothing_was_spent_of_an_empty_ledger(self, ledger: Ledger) -> None:
        answer = await ledger.spent([period(budget, 5, 7) for budget in _BUDGETS], ["r-00001:1"])

        assert answer.nano == dict.fromkeys(_BUDGETS, 0)
        assert answer.known == frozenset()
        assert (await ledger.spent([], [])).nano == {}

    async def test_each_budget_counts_its_own(self, ledger: Ledger) -> None:
        await ledger.insert(
            [
                used(1, cost_nano=1),
                used(2, cost_nano=20, key_id="k-2"),
                used(3, cost_nano=300, key_id="k-3", user_id="u-2"),
                used(4, cost_nano=4_000, key_id="k-4", team_id=None),
                used(5, cost_nano=50_000, key_id="k-5", user_id=None),
                used(6, cost_nano=600_000, key_id=None, user_id=None, team_id=None),
                used(7, cost_nano=7_000_000, key_id="k-1:x", user_id="u:1", team_id="t-2"),
            ]
        )

        assert await spent(ledger, *_BUDGETS) == [1, 21, 50_321, 4_000]
        assert await spent(ledger, "key:k-1:x", "member:t-2:u:1", "user:u:1") == [7_000_000, 7_000_000, 0]
        assert await spent(ledger, "key:k-5", "team:t-3", "member:t-1:u-3") == [50_000, 0, 0]

    async def test_a_record_that_comes_again_is_not_spent_again(self, ledger: Ledger, other_ledger: Ledger) -> None:
        await ledger.insert([used(1), used(1, 2), used(1)])
        await other_ledger.insert([used(1, cost_nano=7), used(1, 2), used(2)])

        assert await spent(ledger, *_BUDGETS[:3]) == [3_000, 3_000, 3_000]

    async def test_large_sums_are_exact(self, ledger: Ledger) -> None:
        await ledger.insert([used(number, cost_nano=2**53 - 1) for number in range(100)])

        assert await spent(ledger, "key:k-1") == [100 * (2**53 - 1)]

    @pytest.mark.parametrize("budget", _BUDGETS)
    async def test_a_period_counts_from_its_start_up_to_its_end(self, ledger: Ledger, budget: str) -> None:
        instants = [_MIDNIGHT_US + days * _DAY_US + odd for days in range(4) for odd in (-1, 0, 1, 3_600_000_000)]
        team_id = None if budget == "user:u-1" else "t-1"
        await ledger.insert(
            [used(n, at_us=at_us, cost_nano=1 << n, team_id=team_id) for n, at_us in enumerate(instants)]
        )
        before = [0, *accumulate(1 << n for n in range(len(instants)))]

        for first in range(len(instants)):
            for end in range(first, len(instants)):
                asked = period(budget, instants[first], instants[end])
                answer = await ledger.spent([asked], ())
                assert answer.nano == {budget: before[end] - before[first]}
            answer = await ledger.spent([period(budget, instants[first])], ())
            assert answer.nano == {budget: before[-1] - before[first]}

    async def test_sums_and_what_is_in_them_are_of_one_instant(self, ledger: Ledger, other_ledger: Ledger) -> None:
        records = [used(number) for number in range(60)]
        ids = [record.record_id for record in records]

        async def insert() -> None:
            for start in range(0, 60, 3):
                await other_ledger.insert(records[start : start + 3])

        inserting = asyncio.ensure_future(insert())
        known = 0
        while known < 60:  # ends, as the other one inserts all of them
            answer = await ledger.spent([period(budget, NOON_US - 1) for budget in _BUDGETS[:3]], ids)
            known = len(answer.known)
            assert set(answer.nano.values()) == {1_000 * known}
            await asyncio.sleep(0)
        await inserting

    @pytest.mark.parametrize("budget", ["k-1", "member:t-1", "org:o-1", "KEY:k-1"])
    async def test_what_is_no_budget_is_refused(self, ledger: Ledger, budget: str) -> None:
        with pytest.raises(ValueError, match="expected the id of a budget"):
            await ledger.spent([period(budget)], ())
