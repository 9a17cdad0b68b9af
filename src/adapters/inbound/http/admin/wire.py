"""How single values look on the wire, and what they are inside."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = {"type": "string", "format": "date-time", "examples": ["2026-11-23T12:00:00.000Z"]}


def time_text(at_us: int) -> str:
    """ISO 8601 in UTC, to the millisecond."""
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def time_us(value: object) -> int:
    """Microseconds since 1970 of an ISO 8601 instant. One without an offset is taken for UTC.

    Raises:
        ValueError: It is none, or lies before 1970.
    """
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        instant = None
    if instant is None:
        raise ValueError("expected a time in ISO 8601, such as 2026-11-23T12:00:00Z")
    aware = instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
    at_us = (aware - _EPOCH) // timedelta(microseconds=1)
    if at_us < 0:
        raise ValueError("expected a time after 1970")
    return at_us


TimeIn = Annotated[int, BeforeValidator(time_us), WithJsonSchema(_TIME)]
"""A time that a client sends: microseconds inside."""

TimeOut = Annotated[int, PlainSerializer(time_text), WithJsonSchema(_TIME)]
"""A time that a client is told: microseconds inside."""
