"""What an attempt asks of the budgets it counts against."""

from dataclasses import dataclass
from typing import NewType

from domain.budget.period import Period
from domain.identifiers import RequestId
from domain.money import NANO_PER_DOLLAR

AccountId = NewType("AccountId", str)
BudgetId = NewType("BudgetId", str)

LARGEST_NANO = 2**53 - 1
"""The most a counter holds, 9.007 million dollars: what scripts count in is exact up to here."""

LARGEST_LIMIT_NANO = 9_000_000 * NANO_PER_DOLLAR
LARGEST_TTL_US = 86_400_000_000
MOST_CHARGES = 8
_LONGEST_ID = 200
_ANEW = "~"


def whole_nano(amount_nano: int, what: str = "amount") -> int:
    """The amount itself.

    Raises:
        ValueError: It is no integer from 0 to `LARGEST_NANO`.
    """
    if type(amount_nano) is not int or not 0 <= amount_nano <= LARGEST_NANO:
        raise ValueError(f"expected {what} in whole nano-dollars, from 0 to {LARGEST_NANO}, found {amount_nano!r}")
    return amount_nano


@dataclass(frozen=True, slots=True)
class AttemptId:
    """One attempt of a request, from 1. What is reserved, settled and released goes by it."""

    request_id: RequestId
    attempt: int

    def __post_init__(self) -> None:
        _check_id(self.request_id, "request id")
        if self.attempt < 1:
            raise ValueError(f"expected an attempt from 1, found {self.attempt}")

    def __str__(self) -> str:
        return f"{self.request_id}:{self.attempt}"

    @property
    def record_id(self) -> str:
        """By which the ledger knows it, reserved anew or not."""
        return f"{self.request_id.rstrip(_ANEW)}:{self.attempt}"

    @property
    def anew(self) -> "AttemptId":
        """For the same attempt, where what was reserved by this one has ended too early."""
        return AttemptId(RequestId(f"{self.request_id}{_ANEW}"), self.attempt)

    @classmethod
    def parse(cls, text: str) -> "AttemptId":
        """The id that `str` made."""
        request_id, _, attempt = text.rpartition(":")
        return cls(RequestId(request_id), int(attempt))


@dataclass(frozen=True, slots=True)
class BudgetPeriod:
    """One period of one budget: what money is counted in. The budget's id is unique within its account."""

    budget: BudgetId
    period: Period

    def __post_init__(self) -> None:
        _check_id(self.budget, "budget id")

    @property
    def name(self) -> str:
        """Unique in an account, for the same budget and period always the same."""
        return f"{self.budget}|{self.period.id}"

    @property
    def series(self) -> str:
        """Common to all periods of the budget, as long as its kind and zone stay."""
        return f"{self.budget}|{self.period.series}"


@dataclass(frozen=True, slots=True)
class Charge:
    """That an attempt counts against a budget. A hard one refuses what does not fit, a soft one counts it.

    Raises:
        ValueError: The limit is negative or above 9 million dollars.
    """

    of: BudgetPeriod
    limit_nano: int
    hard: bool = True

    def __post_init__(self) -> None:
        if whole_nano(self.limit_nano, "a limit") > LARGEST_LIMIT_NANO:
            raise ValueError(f"expected a limit of at most 9000000 dollars, found {self.limit_nano} nano-dollars")


@dataclass(frozen=True, slots=True)
class Reservation:
    """Asks that `amount_nano`, the worst case, be held in every budget of `charges`, or in none.

    Attributes:
        epoch: What is known to be the present state of the account, from 1; see the port.
        ttl_us: How long the attempt can take. After that it counts as an orphan, and still as spent.

    Raises:
        ValueError: A number is out of range, or a budget stands twice among the charges.
    """

    attempt_id: AttemptId
    charges: tuple[Charge, ...]
    amount_nano: int
    epoch: int
    ttl_us: int

    def __post_init__(self) -> None:
        whole_nano(self.amount_nano)
        check_epoch(self.epoch)
        if not 0 < self.ttl_us <= LARGEST_TTL_US:
            raise ValueError(f"expected a ttl of up to a day, found {self.ttl_us} µs")
        names = {charge.of.name for charge in self.charges}
        if not 1 <= len(self.charges) <= MOST_CHARGES or len(names) != len(self.charges):
            raise ValueError(f"expected 1 to {MOST_CHARGES} different budgets, found {len(self.charges)}")


def check_epoch(epoch: int) -> None:
    """Raises ValueError where it is no epoch."""
    if type(epoch) is not int or not 1 <= epoch <= LARGEST_NANO:
        raise ValueError(f"expected an epoch from 1, found {epoch!r}")


def _check_id(text: str, what: str) -> None:
    if not text or len(text) > _LONGEST_ID or not text.isprintable():
        raise ValueError(f"expected a {what} of 1 to {_LONGEST_ID} printable characters, found {text[:50]!r}")
