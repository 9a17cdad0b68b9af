"""What budgets answer. All money in nano-dollars."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from domain.budget.charge import AttemptId, BudgetId

ALERT_PERCENTS = (80, 100)


@dataclass(frozen=True, slots=True)
class Balance:
    """What one period of a budget has come to.

    Attributes:
        reserved_nano: Held by attempts whose cost is not known yet, orphans included.
        epoch: When it was last checked against the ledger; 0 for never, or too long ago to trust.
    """

    settled_nano: int
    reserved_nano: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Standing:
    """One budget of an attempt, right after the attempt was counted. `verified`: its past is known to be complete."""

    budget: BudgetId
    period_id: str
    limit_nano: int
    hard: bool
    verified: bool
    settled_nano: int
    reserved_nano: int


@dataclass(frozen=True, slots=True)
class Crossing:
    """That a budget has reached `percent` of its limit."""

    budget: BudgetId
    period_id: str
    percent: int
    hard: bool


@dataclass(frozen=True, slots=True)
class Reserved:
    """The amount is held in every budget, in the order of the charges."""

    amount_nano: int
    expires_us: int
    standings: tuple[Standing, ...]

    @property
    def crossings(self) -> tuple[Crossing, ...]:
        """What this reservation lifted over 80 % or 100 %, open ones counted: for headers. It may happen again."""
        return _crossings((s, s.settled_nano + s.reserved_nano, self.amount_nano) for s in self.standings)


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was held: this budget, the first of the charges that has not enough left, does not allow it."""

    budget: BudgetId
    period_id: str
    limit_nano: int
    settled_nano: int
    reserved_nano: int


@dataclass(frozen=True, slots=True)
class Unverified:
    """Nothing was held: the past of these hard budgets is not known. Reseed each, then ask again."""

    budgets: tuple[BudgetId, ...]


class ResolutionKind(StrEnum):
    """How a reservation ended."""

    SETTLED = "settled"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Resolved:
    """The reservation's end; it has only one. `actual_nano` is 0 where it was released."""

    kind: ResolutionKind
    amount_nano: int
    actual_nano: int
    standings: tuple[Standing, ...]

    @property
    def crossings(self) -> tuple[Crossing, ...]:
        """What this settlement lifted over 80 % or 100 % by settled money: once in each period, for events."""
        return _crossings((s, s.settled_nano, self.actual_nano) for s in self.standings)


@dataclass(frozen=True, slots=True)
class Orphan:
    """A reservation whose time is over and which nobody has resolved; it counts until a day after `expires_us`."""

    attempt_id: AttemptId
    amount_nano: int
    expires_us: int


@dataclass(frozen=True, slots=True)
class Inspection:
    """Balances in the order asked for, and the account's first 100 orphans, those that expired first in front."""

    balances: tuple[Balance, ...]
    orphans: tuple[Orphan, ...]


def _crossings(changes: Iterable[tuple[Standing, int, int]]) -> tuple[Crossing, ...]:
    return tuple(
        Crossing(standing.budget, standing.period_id, percent, standing.hard)
        for standing, after_nano, added_nano in changes
        for percent in ALERT_PERCENTS
        if (after_nano - added_nano) * 100 < percent * standing.limit_nano <= after_nano * 100
    )
