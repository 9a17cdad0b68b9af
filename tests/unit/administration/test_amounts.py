"""Money as it stands in JSON."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import format_dollars, format_price, parse_dollars_nano, parse_plain_price_nano


@given(st.integers(0, 10**18 - 1))
def test_dollars_come_back_as_they_were(nano: int) -> None:
    assert parse_dollars_nano(format_dollars(nano)) == nano


@given(st.integers(0, 10**21))
def test_price_comes_back_as_it_was(price_nano: int) -> None:
    assert parse_plain_price_nano(format_price(price_nano)) == price_nano


@pytest.mark.parametrize(
    ("text", "nano"),
    [("12.50", 12_500_000_000), ("0.000000001", 1), ("007", 7_000_000_000), ("999999999", 999_999_999 * 10**9)],
)
def test_dollars_are_read_to_the_nano(text: str, nano: int) -> None:
    assert parse_dollars_nano(text) == nano


@pytest.mark.parametrize(
    "text", ["", "-0", "1e1", "1E1", "nan", "inf", "1.", ".1", " 1", "1\n", "\u0661", "1234567890", "0.0000000001"]
)
def test_what_is_no_plain_decimal_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match=r"such as 12\.50"):
        parse_dollars_nano(text)


@pytest.mark.parametrize("text", ["", "-1", "1e-6", "Infinity", "1.", "0.0000000000000001", "\u0661"])
def test_what_is_no_plain_decimal_is_no_price(text: str) -> None:
    with pytest.raises(ValueError, match=r"such as 0\.0000025"):
        parse_plain_price_nano(text)


def test_price_is_told_per_token() -> None:
    assert [format_price(nano) for nano in (0, 1, 2_500_000_000, 10**15)] == [
        "0",
        "0.000000000000001",
        "0.0000025",
        "1",
    ]
