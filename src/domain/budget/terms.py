"""What somebody may spend: the budget as it was set, before it meets a clock."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.budget.charge import LARGEST_LIMIT_NANO, BudgetId, BudgetPeriod, Charge, whole_nano
from domain.budget.period import PeriodKind, period_of


class OwnerKind(StrEnum):
    """Whose budget it is. A member is a user inside one team."""

    KEY = "key"
    MEMBER = "member"
    USER = "user"
    TEAM = "team"


@dataclass(frozen=True, slots=True)
class BudgetOwner:
    """Who spends. The id of a member is `team:user`."""

    kind: OwnerKind
    id: str

    @property
    def budget_id(self) -> BudgetId:
        """An owner has one budget; it is known by its owner: `team:T`, `member:T:U`."""
        return BudgetId(f"{self.kind}:{self.id}")


@dataclass(frozen=True, slots=True)
class BudgetTerms:
    """So much in each period. A hard budget refuses what does not fit, a soft one tells.

    Raises:
        ValueError: The amount is out of range, or there is no such time zone.
    """

    owner: BudgetOwner
    amount_nano: int
    kind: PeriodKind = PeriodKind.MONTHLY
    timezone: str = "UTC"
    hard: bool = True

    def __post_init__(self) -> None:
        if whole_nano(self.amount_nano) > LARGEST_LIMIT_NANO:
            raise ValueError("expected a budget of at most 9000000 dollars")
        zone_of(self.timezone)

    def period(self, now_us: int) -> BudgetPeriod:
        """The period that holds `now_us`."""
        return BudgetPeriod(self.owner.budget_id, period_of(now_us, self.kind, zone_of(self.timezone)))


class BudgetClock:
    """Makes charges of terms. Remembers each budget's period until it is over: calendars are slow."""

    __slots__ = ("_charges",)

    def __init__(self) -> None:
        self._charges: dict[BudgetTerms, Charge] = {}

    def charge(self, terms: BudgetTerms, now_us: int) -> Charge:
        """What a request at `now_us` counts against."""
        known = self._charges.get(terms)
        if known is None or not known.of.period.holds(now_us):
            if len(self._charges) >= _REMEMBERED:
                self._charges.clear()
            known = Charge(terms.period(now_us), terms.amount_nano, terms.hard)
            self._charges[terms] = known
        return known


_REMEMBERED = 10_000


@lru_cache(maxsize=1_000)
def zone_of(name: str) -> ZoneInfo:
    """The zone of that name of the tz database.

    Raises:
        ValueError: There is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"expected a time zone such as Europe/Kyiv, found {name[:50]!r}") from None
