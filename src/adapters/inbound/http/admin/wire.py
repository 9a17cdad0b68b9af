"""How single values look on the wire, and what they are inside."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from domain.money import format_dollars, format_price, parse_dollars_nano, parse_plain_price_nano

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Beyond it, a time zone could make of it a year that no calendar here has.
_LATEST_US = (datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_MOST_NAMES = 1_000
_DOLLARS = {"type": "string", "pattern": r"^[0-9]{1,9}(\.[0-9]{1,9})?$", "examples": ["12.50"]}
_PRICE = {"type": "string", "pattern": r"^[0-9]{1,9}(\.[0-9]{1,15})?$", "examples": ["0.0000025"]}
_TIME = {"type": "string", "format": "date-time", "examples": ["2026-11-23T12:00:00.000Z"]}


def time_text(at_us: int) -> str:
    """ISO 8601 in UTC, to the millisecond."""
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def time_us(value: object) -> int:
    """Microseconds since 1970 of an ISO 8601 instant. One without an offset is taken for UTC.

    Raises:
        ValueError: It is none, or lies before 1970 or after 9998.
    """
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        instant = None
    if instant is None:
        raise ValueError("expected a time in ISO 8601, such as 2026-11-23T12:00:00Z")
    aware = instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
    at_us = (aware - _EPOCH) // timedelta(microseconds=1)
    if not 0 <= at_us < _LATEST_US:
        raise ValueError("expected a time after 1970 and before 9999")
    return at_us


def dollars_nano(value: object) -> int:
    """Nano-dollars. Raises ValueError for what is no plain decimal string."""
    return parse_dollars_nano(value if isinstance(value, str) else "")


def price_nano(value: object) -> int:
    """Nano-dollars per 1,000,000 tokens, from dollars per token. Raises ValueError for no plain decimal string."""
    return parse_plain_price_nano(value if isinstance(value, str) else "")


TimeIn = Annotated[int, BeforeValidator(time_us), WithJsonSchema(_TIME)]
"""A time that a client sends: microseconds inside."""

TimeOut = Annotated[int, PlainSerializer(time_text), WithJsonSchema(_TIME)]
"""A time that a client is told: microseconds inside."""

DollarsIn = Annotated[int, BeforeValidator(dollars_nano), WithJsonSchema(_DOLLARS)]
"""Dollars that a client sends: nano-dollars inside."""

DollarsOut = Annotated[int, PlainSerializer(format_dollars), WithJsonSchema(_DOLLARS)]
"""Dollars that a client is told: nano-dollars inside."""

PriceIn = Annotated[int, BeforeValidator(price_nano), WithJsonSchema(_PRICE)]
"""Dollars per token that a client sends: nano-dollars per 1,000,000 inside."""

PriceOut = Annotated[int, PlainSerializer(format_price), WithJsonSchema(_PRICE)]
"""Dollars per token that a client is told: nano-dollars per 1,000,000 inside."""

ItemId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""The id of a user or a team that a client speaks of."""

Names = Annotated[frozenset[str], Field(max_length=_MOST_NAMES)]
"""Names of models, or tags."""

NamesByName = Annotated[dict[str, str], Field(max_length=_MOST_NAMES)]
"""Which model, alias or route stands for which."""
