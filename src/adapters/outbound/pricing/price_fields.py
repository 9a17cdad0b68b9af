"""The parts of a price list, each checked on its own. What is wrong is said in one line, with its place."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any, Final

from domain.durations import SECOND_US
from domain.money import NANO_PER_DOLLAR
from domain.price_book import PricePeriod
from domain.pricing import Prices

DEAREST_DOLLARS: Final = 1_000_000
_FINEST = Decimal("0.000000001")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_AMOUNTS: Final = ("input", "output", "cached_input", "unit")
_ENTRY: Final = frozenset({*_AMOUNTS, "from", "dated", "source"})


class PriceListError(ValueError):
    """A price list that can't be used; the message names the place in it."""


def objects(value: object, where: str) -> Mapping[str, Any]:
    """`value` as an object."""
    if not isinstance(value, dict):
        raise PriceListError(f"{where}: expected an object, found {_shown(value)}")
    return value


def refuse_unknown(value: Mapping[str, Any], known: Collection[str], where: str) -> None:
    """Raises PriceListError where `value` has a key that means nothing."""
    if unknown := sorted(set(value) - set(known)):
        raise PriceListError(f"{where}: unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")


def day(value: object, where: str) -> date:
    """`value` as a day."""
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise PriceListError(f"{where}: expected a day such as 2026-01-31, found {_shown(value)}")


def text(value: object, where: str) -> str:
    """`value` as a text that says something."""
    if not isinstance(value, str) or not value.strip():
        raise PriceListError(f"{where}: expected a text, found {_shown(value)}")
    return value


def entries(value: object, where: str) -> Sequence[Mapping[str, Any]]:
    """A model's entries: one object, or several of which each but the first says from when it holds."""
    found = value if isinstance(value, list) else [value]
    if not found:
        raise PriceListError(f"{where}: no prices")
    return [_entry(entry, where) for entry in found]


def periods(found: Sequence[Mapping[str, Any]], where: str) -> tuple[PricePeriod, ...]:
    """The periods of one model, in order of their start."""
    made = tuple(_period(entry, where) for entry in found)
    for earlier, later in pairwise(made):
        if later.starts_us is None or (earlier.starts_us is not None and later.starts_us <= earlier.starts_us):
            raise PriceListError(f"{where}: each of several prices needs a 'from' that is later than the one before")
    return made


def _entry(value: object, where: str) -> Mapping[str, Any]:
    entry = objects(value, where)
    refuse_unknown(entry, _ENTRY, where)
    if ("input" in entry) != ("output" in entry) or not {"input", "unit"} & entry.keys():
        raise PriceListError(f"{where}: needs both 'input' and 'output', or 'unit'")
    if "source" in entry:
        text(entry["source"], f"{where}.source")
    if "dated" in entry:
        day(entry["dated"], f"{where}.dated")
    return entry


def _period(entry: Mapping[str, Any], where: str) -> PricePeriod:
    amounts = {name: _nano(entry[name], f"{where}.{name}") for name in _AMOUNTS if name in entry}
    starts = _start_us(entry["from"], f"{where}.from") if "from" in entry else None
    return PricePeriod(Prices(**amounts), starts)


def _start_us(value: object, where: str) -> int:
    first = day(value, where)
    return int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp()) * SECOND_US


def _nano(value: object, where: str) -> int:
    """Nano-dollars per 1,000,000 tokens, from dollars per 1,000,000 tokens."""
    if not isinstance(value, str):
        raise PriceListError(f"{where}: expected dollars per 1,000,000 tokens in quotes, found {_shown(value)}")
    try:
        dollars = Decimal(value)
    except InvalidOperation:
        raise PriceListError(f"{where}: expected a decimal number, found {_shown(value)}") from None
    if not dollars.is_finite() or dollars.is_signed() or dollars > DEAREST_DOLLARS:
        raise PriceListError(f"{where}: expected 0 to {DEAREST_DOLLARS} dollars, found {_shown(value)}")
    # Compared, not multiplied: a product is rounded to the context's precision, and would look whole.
    if dollars != dollars.quantize(_FINEST):
        raise PriceListError(f"{where}: finer than a nano-dollar per 1,000,000 tokens: {_shown(value)}")
    return int(dollars * NANO_PER_DOLLAR)


def _shown(value: object) -> str:
    return repr(value)[:60]
