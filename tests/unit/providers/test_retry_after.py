import httpx
import pytest

from adapters.outbound.providers.retry_after import go_duration_us, retry_after_us
from domain.durations import MINUTE_US, SECOND_US

DATE = "Wed, 21 Oct 2026 07:28:00 GMT"
LATER = "Wed, 21 Oct 2026 07:28:30 GMT"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7 * SECOND_US),
        ({"retry-after": " 1.5 "}, 1_500_000),
        ({"retry-after": "0"}, 0),
        ({"retry-after-ms": "250", "retry-after": "1"}, 250_000),
        ({"retry-after-ms": "junk", "retry-after": "1"}, SECOND_US),
        ({"retry-after": LATER, "date": DATE}, 30 * SECOND_US),
        ({"retry-after": DATE, "date": LATER}, 0),
        ({"retry-after": LATER}, None),
        ({"retry-after": LATER, "date": "junk"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e9"}, None),
        ({"retry-after": "999999999999"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "7\x1e"}, 7 * SECOND_US),
        ({"retry-after": "1 Jan 1 0:9999999999", "date": DATE}, None),
        ({"x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "6m0s"}, 6 * MINUTE_US),
        ({"x-ratelimit-reset-requests": "12ms"}, 12_000),
        ({"x-ratelimit-reset-tokens": "17"}, 17 * SECOND_US),
        ({"x-ratelimit-reset-requests": "-1", "x-ratelimit-reset-tokens": "0"}, None),
        ({"retry-after": "2", "x-ratelimit-reset-requests": "9s"}, 2 * SECOND_US),
    ],
)
def test_the_wish_of_a_429_is_read_from_its_headers(headers: dict[str, str], expected: int | None) -> None:
    assert retry_after_us(429, httpx.Headers(headers)) == expected


def test_limits_reset_headers_say_nothing_about_other_refusals() -> None:
    headers = httpx.Headers({"x-ratelimit-reset-requests": "9s"})
    assert retry_after_us(503, headers) is None
    assert retry_after_us(503, httpx.Headers({"retry-after": "3"})) == 3 * SECOND_US


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1h2m3.5s", 3_723_500_000), ("417µs", 417), ("900ns", 1), ("", None), ("5", None), ("s", None), ("1x", None)],
)
def test_go_durations_are_read(text: str, expected: int | None) -> None:
    assert go_duration_us(text) == expected
