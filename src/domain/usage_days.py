"""Usage summed by UTC day and by what reports group by."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from domain.durations import SECOND_US
from domain.usage_record import UsageRecord

DAY_US = 86_400 * SECOND_US

_FIRST_DAY = date(1970, 1, 1).toordinal()
_END_US = (date.max.toordinal() + 1 - _FIRST_DAY) * DAY_US


class UsageDay(NamedTuple):
    """What one sum is of. Empty text is none."""

    team_id: str
    user_id: str
    day: str
    key_id: str
    model_asked: str
    instance_id: str


class UsageSums(NamedTuple):
    """What some records come to. `requests` counts those that are the first of their request."""

    requests: int = 0
    attempts: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0
    cost_nano: int = 0

    def plus(self, record: UsageRecord) -> "UsageSums":
        """With one more."""
        return UsageSums(
            self.requests + record.first,
            self.attempts + 1,
            self.input_tokens + record.input_tokens,
            self.output_tokens + record.output_tokens,
            self.cached_input_tokens + record.cached_input_tokens,
            self.cost_nano + record.cost_nano,
        )


@dataclass(frozen=True, slots=True)
class DaySplit:
    """A span of time as whole UTC days and what is left of it at its edges, which is less than two days.

    Attributes:
        days: The dates of the first and the last whole day; None where there is none.
        edges: Spans [from, to) in microseconds.
    """

    days: tuple[str, str] | None
    edges: tuple[tuple[int, int], ...]


def split_by_day(from_us: int, to_us: int | None) -> DaySplit:
    """Where sums by day can be used for [from_us, to_us), and where they can't. Only what `utc_day` can name counts."""
    from_us = max(from_us, 0)
    to_us = _END_US if to_us is None else min(to_us, _END_US)
    first, end = -(-from_us // DAY_US), to_us // DAY_US
    if first >= end:
        return DaySplit(None, _real((from_us, to_us)))
    return DaySplit((_date(first), _date(end - 1)), _real((from_us, first * DAY_US), (end * DAY_US, to_us)))


def utc_day(at_us: int) -> str:
    """The date of an instant, such as 2026-11-23; such texts order as the days do.

    Raises:
        ValueError: It lies after the year 9999.
    """
    return _date(at_us // DAY_US)


def day_of(record: UsageRecord) -> UsageDay:
    """Which sum a record belongs to. Raises as `utc_day`."""
    return UsageDay(
        record.team_id or "",
        record.user_id or "",
        utc_day(record.at_us),
        record.key_id or "",
        record.model_asked,
        record.instance_id or "",
    )


def summed(records: Iterable[UsageRecord]) -> dict[UsageDay, UsageSums]:
    """The sums of these records. Raises as `utc_day`."""
    sums: dict[UsageDay, UsageSums] = {}
    for record in records:
        day = day_of(record)
        sums[day] = sums.get(day, UsageSums()).plus(record)
    return sums


def _real(*spans: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    return tuple((from_us, to_us) for from_us, to_us in spans if from_us < to_us)


@lru_cache(maxsize=512)
def _date(number: int) -> str:
    try:
        return date.fromordinal(_FIRST_DAY + number).isoformat()
    except (ValueError, OverflowError):
        raise ValueError(f"expected a day before the year 10000, found day {number} after 1970") from None
