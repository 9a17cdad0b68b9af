from dataclasses import dataclass

from domain.budget.charge import AccountId, BudgetPeriod, Reservation


@dataclass(slots=True)
class Spend:
    """One attempt that holds or has spent money, until the ledger knows it.

    Attributes:
        name: By which the ledger knows it.
        cost_nano: None while it runs.
        booked_us: When the store had its end, or said that it knows nothing of it.
        is_ledgered: The ledger has it, or never will.
        is_missing: The store was away when it began, and has never heard of it.
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

    @property
    def periods(self) -> tuple[BudgetPeriod, ...]:
        """What it counts against."""
        return tuple(charge.of for charge in self.reservation.charges)
