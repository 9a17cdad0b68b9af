import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.durations import SECOND_US
from domain.resilience.deadline import Deadline
from domain.resilience.retry import backoff_us

DEADLINE = Deadline(100 * SECOND_US)


@pytest.mark.parametrize(
    ("attempt", "most_us"),
    [(1, 250_000), (2, 500_000), (3, 1_000_000), (6, 8_000_000), (7, 8_000_000), (999, 8_000_000)],
)
def test_backoff_is_spread_over_a_doubling_span_with_a_cap(attempt: int, most_us: int) -> None:
    assert backoff_us(attempt, 0.0) == 0
    assert backoff_us(attempt, 0.5) == most_us // 2
    assert most_us - 1 <= backoff_us(attempt, 1 - 2**-53) <= most_us


def test_backoff_takes_other_bounds() -> None:
    assert backoff_us(2, 0.5, base_us=100, cap_us=150) == 75


def test_deadline_counts_down_and_never_below_nothing() -> None:
    assert DEADLINE.remaining_us(99 * SECOND_US) == SECOND_US
    assert DEADLINE.remaining_us(101 * SECOND_US) == 0


def test_deadline_has_passed_from_its_instant_on() -> None:
    assert [DEADLINE.passed(DEADLINE.at_us + offset_us) for offset_us in (-1, 0, 1)] == [False, True, True]


@pytest.mark.parametrize(("attempt", "timeout_s"), [(1, 10), (2, 15), (3, 22.5)])
def test_attempts_get_more_time_from_try_to_try(attempt: int, timeout_s: float) -> None:
    assert DEADLINE.attempt_timeout_us(10 * SECOND_US, 1.5, attempt, 0) == timeout_s * SECOND_US


def test_attempt_gets_no_more_than_what_is_left() -> None:
    assert DEADLINE.attempt_timeout_us(10 * SECOND_US, 1.5, 1, 95 * SECOND_US) == 5 * SECOND_US
    assert DEADLINE.attempt_timeout_us(10 * SECOND_US, 1.5, 3, 200 * SECOND_US) == 0


@given(st.integers(1, 10**9), st.floats(1, 4), st.integers(1, 20), st.integers(0, 2 * DEADLINE.at_us))
def test_attempt_never_ends_after_the_deadline(base_us: int, multiple: float, attempt: int, now_us: int) -> None:
    timeout_us = DEADLINE.attempt_timeout_us(base_us, multiple, attempt, now_us)
    assert 0 <= timeout_us <= max(0, DEADLINE.at_us - now_us)
