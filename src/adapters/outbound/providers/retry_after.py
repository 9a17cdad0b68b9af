"""When a provider wants to be asked again."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from domain.durations import SECOND_US

_TOO_MANY_REQUESTS: Final = 429
_MILLISECOND_US: Final = 1_000
_MAX_US: Final = 7 * 24 * 3_600 * SECOND_US

_NUMBER: Final = re.compile(r"\d{1,12}(?:\.\d{1,9})?")
_GO_PART: Final = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(h|ms|m|s|us|µs|ns)")
_GO_DURATION: Final = re.compile(r"(?:\d{1,12}(?:\.\d{1,9})?(?:h|ms|m|s|us|µs|ns)){1,6}")
_GO_UNITS_US: Final = {
    "h": 3_600 * SECOND_US,
    "m": 60 * SECOND_US,
    "s": SECOND_US,
    "ms": _MILLISECOND_US,
    "us": 1,
    "µs": 1,
    "ns": 0.001,
}


def retry_after_us(status: int, headers: httpx.Headers) -> int | None:
    """The wish of a refusal in microseconds; None where there is none or it makes no sense.

    `retry-after-ms` before `Retry-After` (seconds, or a date, which counts from the reply's own `Date`); a 429
    without either falls back on the `x-ratelimit-reset-…` headers.
    """
    span_us = _milliseconds(headers.get("retry-after-ms")) or _seconds_or_date(headers)
    if span_us is None and status == _TOO_MANY_REQUESTS:
        span_us = max(_resets(headers), default=None)
    return span_us if span_us is not None and span_us <= _MAX_US else None


def go_duration_us(text: str) -> int | None:
    """Microseconds in a Go duration such as `6m0s` or `12ms`; None where it is none."""
    text = text.strip()
    if _GO_DURATION.fullmatch(text) is None:
        return None
    return round(sum(float(number) * _GO_UNITS_US[unit] for number, unit in _GO_PART.findall(text)))


def _milliseconds(text: str | None) -> int | None:
    return _number_us(text, _MILLISECOND_US)


def _seconds_or_date(headers: httpx.Headers) -> int | None:
    text = headers.get("retry-after")
    seconds = _number_us(text, SECOND_US)
    if text is None or seconds is not None:
        return seconds
    wanted, sent = _date(text), _date(headers.get("date", ""))
    if wanted is None or sent is None:
        return None
    return max(0, (wanted - sent) // timedelta(microseconds=1))


def _resets(headers: httpx.Headers) -> Iterator[int]:
    # Azure sends 0 and -1 for "unknown", and whole seconds where OpenAI sends Go durations.
    for kind in ("requests", "tokens"):
        text = headers.get(f"x-ratelimit-reset-{kind}", "")
        span_us = go_duration_us(text) or _number_us(text, SECOND_US)
        if span_us:
            yield span_us


def _number_us(text: str | None, unit_us: int) -> int | None:
    number = None if text is None else _NUMBER.fullmatch(text.strip())
    return None if number is None else round(float(number[0]) * unit_us)


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo is not None else None
