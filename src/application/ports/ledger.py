from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.budget.charge import BudgetId, BudgetPeriod
from domain.usage_record import UsageRecord


class LedgerRefused(Exception):
    """The database refuses a record for what it is; asking again won't help. Nothing of the batch was written."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What the ledger knew at one instant.

    Attributes:
        nano: What each budget asked about has come to.
        known: Which of the record ids asked about are in the ledger, and so in the sums.
    """

    nano: Mapping[BudgetId, int]
    known: frozenset[str]


class Ledger(Protocol):
    """What every attempt cost, for ever. Rows are never changed. All raise StateUnavailable."""

    async def insert(self, records: Sequence[UsageRecord]) -> int:
        """Writes the records that are not there yet, and adds exactly those to the sums by day; how many they were.

        One transaction. The first record of an id stays; later ones of that id are left out.

        Raises:
            LedgerRefused: One of them can't be stored.
        """
        ...

    async def known(self, record_ids: Collection[str]) -> frozenset[str]:
        """Which of these are there."""
        ...

    async def spent(self, periods: Sequence[BudgetPeriod], among: Collection[str]) -> Spent:
        """What these budgets have come to within their periods, and which records `among` are in that; one snapshot.

        A record counts in the period that holds its `at_us`. Budget ids say whose: `key:K`, `member:T:U` (of user U
        with keys of team T), `user:U` (with keys of no team), `team:T`. Each budget is asked about once.

        Raises:
            ValueError: A budget's id is none of these.
        """
        ...
