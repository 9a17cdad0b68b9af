"""Money is integer nano-dollars (1 dollar = 10^9). No float ever touches it."""

from decimal import Decimal, InvalidOperation

NANO_PER_DOLLAR = 1_000_000_000
TOKENS_PER_PRICE = 1_000_000


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
