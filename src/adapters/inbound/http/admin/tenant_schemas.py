"""What keys, users and teams have in common on the wire: limits and budgets."""

from typing import Annotated, Any

from pydantic import Field

from adapters.inbound.http.admin.schema import Patch, Schema, left_out
from adapters.inbound.http.admin.wire import DollarsIn, DollarsOut, TimeOut
from application.administration.budget_standing import BudgetStanding
from application.use_cases.admin.patches import BudgetPatch, LimitsPatch
from domain.budget.period import PeriodKind
from domain.limits.key_limits import KeyLimits
from domain.limits.limit import LARGEST_LIMIT

_Limit = Annotated[int, Field(ge=1, le=LARGEST_LIMIT)]


class LimitsIn(Patch):
    """Limits to be set. Null removes one."""

    rpm: _Limit | None = None
    tpm: _Limit | None = None
    max_parallel: _Limit | None = None

    def patch(self) -> LimitsPatch:
        """The same inside."""
        names = {"rpm": "requests_per_minute", "tpm": "tokens_per_minute", "max_parallel": "max_parallel"}
        return LimitsPatch(**{names[name]: value for name, value in self.given().items()})


class LimitsOut(Schema):
    """Limits as they are set. Null: none."""

    rpm: int | None
    tpm: int | None
    max_parallel: int | None

    @classmethod
    def of(cls, limits: KeyLimits) -> "LimitsOut":
        """Limits as clients see them."""
        return cls(rpm=limits.requests_per_minute, tpm=limits.tokens_per_minute, max_parallel=limits.max_parallel)


class BudgetIn(Schema):
    """A whole budget."""

    amount_usd: DollarsIn
    period: PeriodKind = PeriodKind.MONTHLY
    timezone: str = "UTC"
    hard: bool = True

    def patch(self) -> BudgetPatch:
        """The same inside. What was not sent is set as well."""
        return BudgetPatch(amount_nano=self.amount_usd, kind=self.period, timezone=self.timezone, hard=self.hard)


class BudgetChange(Patch):
    """What is to be different about a budget. Where there is none yet, the amount is required."""

    amount_usd: DollarsIn = left_out()
    period: PeriodKind = left_out()
    timezone: str = left_out()
    hard: bool = left_out()

    def patch(self) -> BudgetPatch:
        """The same inside."""
        names = {"amount_usd": "amount_nano", "period": "kind"}
        return BudgetPatch(**{names.get(name, name): value for name, value in self.given().items()})


class BudgetOut(Schema):
    """A budget and how it stands in its present period.

    `reserved_usd` is held by requests whose cost is not known yet; null where the store that would know is away.
    """

    amount_usd: DollarsOut
    spent_usd: DollarsOut
    reserved_usd: DollarsOut | None
    resets_at: TimeOut | None
    period: PeriodKind
    timezone: str
    hard: bool

    @classmethod
    def of(cls, standing: BudgetStanding | None) -> "BudgetOut | None":
        """A budget as clients see it; None where there is none."""
        return None if standing is None else cls(**budget_fields(standing))


def budget_fields(standing: BudgetStanding) -> dict[str, Any]:
    """The fields of a `BudgetOut`."""
    terms = standing.terms
    return {
        "amount_usd": terms.amount_nano,
        "spent_usd": standing.spent_nano,
        "reserved_usd": standing.reserved_nano,
        "resets_at": standing.period.period.ends_us,
        "period": terms.kind,
        "timezone": terms.timezone,
        "hard": terms.hard,
    }


def settings_of(body: Patch, beside: frozenset[str] = frozenset()) -> dict[str, Any]:
    """What was sent of an item's settings, as the patches of use cases call and hold it; not the fields `beside`."""
    return {
        "expires_at_us" if name == "expires_at" else name: _inside(name, value)
        for name, value in body.given().items()
        if name not in beside
    }


def _inside(name: str, value: Any) -> Any:
    match name, value:
        case _, LimitsIn() | BudgetIn() | BudgetChange():
            return value.patch()
        case "tags", None:
            return frozenset()
        case "routes", None:
            return {}
        case _:
            return value
