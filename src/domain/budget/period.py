"""Which day, week, month or year of which place an instant belongs to."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)
_US_PER_SECOND = 1_000_000
_LATEST_US = (datetime(9998, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND


class PeriodKind(StrEnum):
    """How often a budget begins anew."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    YEARLY = "yearly"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Period:
    """One span of a budget, from `starts_us` up to, not including, `ends_us`; both in microseconds since 1970, UTC.

    Attributes:
        id: Different for different spans, kinds and zones: `2026-11@Europe/Kyiv`, `2026-W48@UTC`, `total`.
        series: Common to the periods that follow one another: `monthly@Europe/Kyiv`.
        ends_us: None where it never ends.
    """

    id: str
    series: str
    starts_us: int
    ends_us: int | None

    def holds(self, now_us: int) -> bool:
        """Whether that instant lies in it. As long as it does, `period_of` need not be asked again."""
        return self.starts_us <= now_us and (self.ends_us is None or now_us < self.ends_us)


_TOTAL = Period("total", "total", 0, None)


def period_of(now_us: int, kind: PeriodKind, zone: ZoneInfo) -> Period:
    """The period that holds `now_us`. Each instant has exactly one, and later instants never have an earlier one.

    A local day begins with the first instant at which the calendar there shows it or a later date. So it is 23, 24 or
    25 hours long, or 23.5, or none where a place has crossed the date line; where clocks go back over midnight, the
    hour that comes again belongs to the new day.

    Args:
        now_us: Wall-clock time.
        kind: Weeks begin on Monday and are numbered after ISO 8601.
        zone: A zone of the tz database. `total` takes no notice of it.

    Raises:
        ValueError: Before 1970 or after 9997, or the zone has no name.
    """
    if not 0 <= now_us < _LATEST_US:
        raise ValueError(f"expected microseconds since 1970, before the year 9998, found {now_us}")
    if kind is PeriodKind.TOTAL:
        return _TOTAL
    if not zone.key:
        raise ValueError("expected a time zone that has a name")
    local = (_EPOCH + timedelta(microseconds=now_us)).astimezone(zone)
    first = _first_day(local.date(), kind)
    following = _following(first, kind)
    ends_us = _start_us(following, zone)
    if ends_us <= now_us:  # the clock was set back over midnight: the calendar shows yesterday once more
        first, following = following, _following(following, kind)
        ends_us = _start_us(following, zone)
    return Period(f"{_label(first, kind)}@{zone.key}", f"{kind}@{zone.key}", _start_us(first, zone), ends_us)


def _first_day(day: date, kind: PeriodKind) -> date:
    match kind:
        case PeriodKind.WEEKLY:
            return day - timedelta(days=day.weekday())
        case PeriodKind.MONTHLY:
            return day.replace(day=1)
        case PeriodKind.YEARLY:
            return day.replace(month=1, day=1)
        case _:
            return day


def _following(first: date, kind: PeriodKind) -> date:
    """The first day of the next period."""
    match kind:
        case PeriodKind.WEEKLY:
            return first + 7 * _DAY
        case PeriodKind.MONTHLY:
            return (first + 31 * _DAY).replace(day=1)
        case PeriodKind.YEARLY:
            return first.replace(year=first.year + 1)
        case _:
            return first + _DAY


def _label(first: date, kind: PeriodKind) -> str:
    match kind:
        case PeriodKind.WEEKLY:
            year, week, _ = first.isocalendar()
            return f"{year:04d}-W{week:02d}"
        case PeriodKind.MONTHLY:
            return f"{first.year:04d}-{first.month:02d}"
        case PeriodKind.YEARLY:
            return f"{first.year:04d}"
        case _:
            return first.isoformat()


def _start_us(day: date, zone: ZoneInfo) -> int:
    """The first instant at which the local date is `day` or later."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)  # of two midnights the first one: fold is 0
    instant = midnight.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return (instant - _EPOCH) // _MICROSECOND
    return _end_of_gap_s(midnight, zone) * _US_PER_SECOND


def _end_of_gap_s(midnight: datetime, zone: ZoneInfo) -> int:
    """When the clock jumps over `midnight`. It lies between what the offsets before and after the jump make of it."""
    before = (midnight.replace(fold=1).astimezone(UTC) - _EPOCH) // timedelta(seconds=1)
    after = (midnight.astimezone(UTC) - _EPOCH) // timedelta(seconds=1)
    while after - before > 1:
        middle = (before + after) // 2
        if (_EPOCH + timedelta(seconds=middle)).astimezone(zone).date() >= midnight.date():
            after = middle
        else:
            before = middle
    return after
