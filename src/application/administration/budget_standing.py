"""How budgets stand."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from application.errors import StateUnavailable
from application.ports.budget import Budgets
from application.ports.clock import Clock
from application.ports.ledger import Ledger
from domain.budget.answers import Balance
from domain.budget.charge import AccountId, BudgetPeriod
from domain.budget.terms import BudgetTerms


@dataclass(frozen=True, slots=True)
class BudgetStanding:
    """A budget and its present period. `reserved_nano` is None where the store that would know it is away."""

    terms: BudgetTerms
    period: BudgetPeriod
    spent_nano: int
    reserved_nano: int | None


@dataclass(frozen=True, slots=True)
class BudgetStandings:
    """Asks the store of balances, and the ledger where the store can't be relied on."""

    budgets: Budgets
    ledger: Ledger
    clock: Clock

    async def __call__(self, accounts: Sequence[tuple[str, BudgetTerms]]) -> tuple[BudgetStanding, ...]:
        """Of each of these budgets, which lies in that account.

        Raises:
            StateUnavailable: A balance is not known to be complete, and the ledger is away.
        """
        now_us = self.clock.now_us()
        periods = tuple(terms.period(now_us) for _, terms in accounts)
        asked = zip(accounts, periods, strict=True)
        balances = await asyncio.gather(*(self._balance(account, period) for (account, _), period in asked))
        doubtful = [period for period, found in zip(periods, balances, strict=True) if found is None or not found.epoch]
        known = (await self.ledger.spent(doubtful, ())).nano if doubtful else {}
        return tuple(
            _standing(terms, period, found, known.get(period.budget, 0))
            for (_, terms), period, found in zip(accounts, periods, balances, strict=True)
        )

    async def _balance(self, account: str, period: BudgetPeriod) -> Balance | None:
        """None where the store is away."""
        try:
            return (await self.budgets.inspect(AccountId(account), (period,))).balances[0]
        except StateUnavailable:
            return None


def _standing(terms: BudgetTerms, period: BudgetPeriod, found: Balance | None, ledger_nano: int) -> BudgetStanding:
    if found is None:
        return BudgetStanding(terms, period, ledger_nano, None)
    # The store has settled what is still on its way to the ledger; the ledger has what the store may have lost.
    return BudgetStanding(terms, period, max(found.settled_nano, ledger_nano), found.reserved_nano)
