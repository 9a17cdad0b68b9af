"""Money is integer nano-dollars (1 dollar = 10^9). No float ever touches it."""

import re
from decimal import Decimal, InvalidOperation

NANO_PER_DOLLAR = 1_000_000_000
TOKENS_PER_PRICE = 1_000_000

_AMOUNT = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,9}))?")
_PRICE = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,15})?")
_DECIMALS = 9
_PRICE_DECIMALS = 15


def parse_dollars_nano(text: str) -> int:
    """Nano-dollars of a plain decimal number of dollars: `"12.50"` → 12,500,000,000. The inverse of `format_dollars`.

    Raises:
        ValueError: It has a sign, an exponent, a space, or more than 9 decimals or digits before them.
    """
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise ValueError("expected dollars as a decimal string such as 12.50, with at most 9 decimals")
    whole, fraction = found.groups("")
    return int(whole) * NANO_PER_DOLLAR + int(fraction.ljust(_DECIMALS, "0"))


def parse_plain_price_nano(text: str) -> int:
    """As `parse_price_nano`, of a plain decimal number alone.

    Raises:
        ValueError: It has a sign, an exponent, a space, or more than 15 decimals.
    """
    if _PRICE.fullmatch(text) is None:
        raise ValueError("expected dollars per token as a decimal string such as 0.0000025, with at most 15 decimals")
    return parse_price_nano(text)


def format_price(price_nano: int) -> str:
    """Dollars per unit of a price in nano-dollars per 1,000,000 units: 2,500,000,000 → `0.0000025`."""
    whole, rest = divmod(price_nano, NANO_PER_DOLLAR * TOKENS_PER_PRICE)
    fraction = f"{rest:0{_PRICE_DECIMALS}d}".rstrip("0")
    return f"{whole}.{fraction}" if fraction else f"{whole}"


def parse_price_nano(value: str | float) -> int:
    """Nano-dollars per 1,000,000 units, from dollars per unit: `"0.0000025"` → 2,500,000,000.

    Raises:
        ValueError: No finite, non-negative decimal number, or finer than one nano-dollar per million units.
    """
    try:
        dollars = Decimal(repr(value) if isinstance(value, float) else str(value).strip())
    except InvalidOperation as error:
        raise ValueError(f"expected dollars per unit as a decimal number, found {value!r}") from error
    if isinstance(value, bool) or not dollars.is_finite() or dollars < 0:
        raise ValueError(f"expected a non-negative amount of dollars per unit, found {value!r}")
    nano = dollars * NANO_PER_DOLLAR * TOKENS_PER_PRICE
    if nano != nano.to_integral_value():
        raise ValueError(f"finer than a nano-dollar per million units: {value!r}")
    return int(nano)


def format_dollars(nano_dollars: int) -> str:
    """A plain decimal string in dollars, without exponent or trailing zeros: 12_500_000 → `0.0125`."""
    sign = "-" if nano_dollars < 0 else ""
    whole, rest = divmod(abs(nano_dollars), NANO_PER_DOLLAR)
    fraction = f"{rest:09d}".rstrip("0")
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"
