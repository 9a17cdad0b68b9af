"""Spans of time as people write them, in integer microseconds."""

import re
from decimal import Decimal

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US

_UNITS_US = {"ms": 1_000, "s": SECOND_US, "m": MINUTE_US, "h": 60 * MINUTE_US, "d": 1_440 * MINUTE_US}
_PATTERN = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?")


def parse_duration_us(value: str | float) -> int:
    """Microseconds in `500ms`, `60s`, `5m`, `1h`, `1d`, or in a number of seconds.

    Raises:
        ValueError: The text is no duration, or it is negative or not finite.
    """
    text = repr(value) if isinstance(value, float) else str(value).strip()
    match = _PATTERN.fullmatch(text)
    if match is None or isinstance(value, bool):
        raise ValueError(f"expected a duration such as 500ms, 60s, 5m, 1h or a number of seconds, found {value!r}")
    number, unit = match.groups()
    return int(Decimal(number) * _UNITS_US[unit or "s"])


def ceil_seconds(span_us: int) -> int:
    """Whole seconds that cover `span_us`, as `Retry-After` wants them; never below 0."""
    return max(0, -(-span_us // SECOND_US))
