from dataclasses import dataclass
from typing import Final

from domain.budget.charge import AccountId, BudgetPeriod, Reservation
from domain.durations import SECOND_US

_MAY_ARRIVE_US: Final = 5 * SECOND_US
"""What a store was asked may arrive so long after nobody waits for its answer any more."""


@dataclass(slots=True)
class Spend:
    """One attempt that holds or has spent money, until the ledger knows it.

    Attributes:
        name: By which the ledger knows it.
        cost_nano: None while it runs.
        booked_us: When the store had its end, or said that it knows nothing of it.
        is_ledgered: The ledger has it, or never will.
        is_missing: The store was away when it began, and nobody heard whether it was made.
        sought_until_us: Given back although nobody heard that it was made, it may still arrive until then.
        is_unverified: The store did not know what its budgets had come to when it was reserved, or brought back to a
            store that had lost it: that must be known before it is booked, or it would be lost in the rebuilding.
        is_late: It was brought back when what its budgets had come to was known already, with it or without.
        is_released: It has been given back, and must not be brought back.
    """

    name: str
    account: AccountId
    reservation: Reservation
    cost_nano: int | None = None
    booked_us: int | None = None
    is_ledgered: bool = False
    is_missing: bool = False
    is_unverified: bool = False
    is_late: bool = False
    is_released: bool = False
    is_being_booked: bool = False
    sought_until_us: int = 0

    @property
    def periods(self) -> tuple[BudgetPeriod, ...]:
        """What it counts against."""
        return tuple(charge.of for charge in self.reservation.charges)

    def seek(self, now_us: int) -> None:
        """It is given back, and nobody heard that it was made: it may still arrive."""
        self.is_missing, self.sought_until_us = False, now_us + _MAY_ARRIVE_US

    def cost_nothing(self) -> None:
        """To be booked at 0, which says the same as given back, and is tried again until the store has taken it."""
        self.cost_nano, self.booked_us, self.is_ledgered = 0, None, True
