"""The overrides of administrators as a list, which the price book can look into."""

from collections.abc import Iterable
from datetime import UTC, datetime

from domain.durations import SECOND_US
from domain.price_book import PriceList, PricePeriod
from domain.price_override import PriceOverride

_LAST_DAY_S = 253_402_214_400


def override_list(overrides: Iterable[PriceOverride]) -> PriceList:
    """A list in which each override is a period that begins when it takes effect. A model's day is that of its last."""
    by_model: dict[tuple[str, str], list[PriceOverride]] = {}
    for override in overrides:
        by_model.setdefault((override.provider, override.model), []).append(override)
    models: dict[tuple[str, str], tuple[PricePeriod, ...]] = {}
    days: dict[tuple[str, str], str] = {}
    for key, found in by_model.items():
        found.sort(key=lambda override: override.effective_at_us)
        models[key] = tuple(PricePeriod(override.prices, override.effective_at_us) for override in found)
        days[key] = _day_of(found[-1].effective_at_us)
    return PriceList(max(days.values(), default=""), models, days)


def _day_of(at_us: int) -> str:
    # Calendars end with the year 9999; instants do not.
    return datetime.fromtimestamp(min(at_us // SECOND_US, _LAST_DAY_S), UTC).date().isoformat()
