from collections.abc import Sequence
from typing import Protocol

from domain.budget.answers import Balance, Inspection, Refused, Reserved, Resolved, Unverified
from domain.budget.charge import AccountId, AttemptId, BudgetPeriod, Reservation


class Budgets(Protocol):
    """Money that attempts may cost and have cost, in integer nano-dollars, by account, budget and period.

    A cache of the ledger, never the ledger. Each method is one atomic step over all budgets it touches. Money counts
    in the period for which it was reserved, whenever it is settled.

    An **epoch** names a state of the account that is known to be complete; it rises when the store may have lost
    something unnoticed. A balance is verified where it was reseeded at that epoch or a later one, or where its period
    began while the same budget, of the same kind and zone, was verified. Nothing else is: no budget that is new or
    whose data was lost, and no period that began a week or more after the last one in use (nor a total not in use for
    a week).

    Raises (every method):
        ValueError: An amount, limit or id is out of range; nothing was counted.
        StateUnavailable: The store does not answer. Whether it has counted is unknown; asking again is safe.
    """

    async def reserve(self, account: AccountId, asked: Reservation) -> Reserved | Refused | Unverified | Resolved:
        """Holds the amount in every budget, or in none.

        A hard budget refuses what does not fit its limit, whether verified or not, and answers Unverified before it
        allows anything else. A soft one only refuses what no counter holds (9.007 million dollars). Idempotent by
        attempt: repeated, it answers as before, with Resolved once the attempt has ended. Open reservations of a
        store that lost them are brought back by reserving again with soft charges.
        """
        ...

    async def settle(self, account: AccountId, attempt_id: AttemptId, actual_nano: int) -> Resolved | None:
        """Books what the attempt cost, more or less than was reserved, exactly once; repeated, it answers as before.

        None where no such reservation is known: it ended over two minutes ago, or its time was over for a day, or
        the store lost it. Nothing is booked then.
        """
        ...

    async def release(self, account: AccountId, attempt_id: AttemptId) -> Resolved | None:
        """Gives back what was held, because nothing was sent to a provider. Otherwise as `settle`."""
        ...

    async def inspect(self, account: AccountId, asked: tuple[BudgetPeriod, ...]) -> Inspection:
        """How budgets stand, and whose reservations have outlived their ttl. These count for another 24 h."""
        ...

    async def open_attempts(self, account: AccountId) -> Sequence[AttemptId]:
        """What is reserved and neither settled nor released, orphans included: the first 10,000 to expire, in order."""
        ...

    async def reseed(self, account: AccountId, of: BudgetPeriod, settled_nano: int, epoch: int) -> Balance:
        """Lifts what is settled to `settled_nano`, the ledger's sum, never adds to it or lowers it, and verifies it.

        What the ledger does not have yet (usage on its way to it) belongs into the sum.
        """
        ...
