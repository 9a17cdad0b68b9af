import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.durations import SECOND_US
from domain.resilience.retry_budget import RetryBudget, RetryBudgetConfig

START_US = 12_345


def withdrawn(budget: RetryBudget, now_us: int) -> int:
    count = 0
    while budget.try_withdraw(now_us):
        count += 1
        assert count < 1_000
    return count


def test_budget_starts_with_ten_seconds_of_its_floor() -> None:
    assert withdrawn(RetryBudget(RetryBudgetConfig(), START_US), START_US) == 30


def test_time_refills_the_floor_and_no_more_than_the_capacity() -> None:
    budget = RetryBudget(RetryBudgetConfig(), START_US)
    withdrawn(budget, START_US)
    assert withdrawn(budget, START_US + 2 * SECOND_US) == 6
    assert withdrawn(budget, START_US + 2 * SECOND_US + 333_333) == 0
    assert withdrawn(budget, START_US + 2 * SECOND_US + 333_334) == 1
    assert withdrawn(budget, START_US + 9_999 * SECOND_US) == 30


def test_five_requests_earn_one_retry() -> None:
    budget = RetryBudget(RetryBudgetConfig(), START_US)
    withdrawn(budget, START_US)
    for _ in range(4):
        budget.deposit(START_US)
    assert withdrawn(budget, START_US) == 0
    budget.deposit(START_US)
    assert withdrawn(budget, START_US) == 1


def test_requests_do_not_fill_the_budget_beyond_its_capacity() -> None:
    budget = RetryBudget(RetryBudgetConfig(), START_US)
    for _ in range(1_000):
        budget.deposit(START_US)
    assert withdrawn(budget, START_US) == 30


def test_frequent_calls_lose_no_time() -> None:
    budget = RetryBudget(RetryBudgetConfig(percent=0, min_per_second=3), START_US)
    withdrawn(budget, START_US)
    taken = sum(budget.try_withdraw(START_US + step * 100) for step in range(100_001))
    assert taken == 30


def test_budget_of_nothing_allows_no_retry() -> None:
    budget = RetryBudget(RetryBudgetConfig(percent=0, min_per_second=0), START_US)
    for second in range(100):
        budget.deposit(START_US + second * SECOND_US)
        assert not budget.try_withdraw(START_US + second * SECOND_US)


def test_budget_without_a_floor_lives_on_requests_alone() -> None:
    budget = RetryBudget(RetryBudgetConfig(percent=20, min_per_second=0), START_US)
    assert not budget.try_withdraw(START_US + 99 * SECOND_US)
    for _ in range(10):
        budget.deposit(START_US)
    assert withdrawn(budget, START_US) == 2


def test_clock_that_stands_still_or_steps_back_refills_nothing() -> None:
    budget = RetryBudget(RetryBudgetConfig(), START_US)
    withdrawn(budget, START_US)
    assert withdrawn(budget, START_US - 5 * SECOND_US) == 0
    assert withdrawn(budget, START_US + SECOND_US) == 3
    full = RetryBudget(RetryBudgetConfig(), START_US)
    assert withdrawn(full, START_US - 5 * SECOND_US) == 30


@pytest.mark.parametrize("wrong", [{"percent": -1}, {"min_per_second": -1}])
def test_config_below_zero_does_not_construct(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="retry budget"):
        RetryBudgetConfig(**wrong)


@given(
    st.integers(0, 100),
    st.integers(0, 5),
    st.lists(st.tuples(st.integers(0, SECOND_US), st.integers(0, 40), st.integers(0, 3)), max_size=40),
)
def test_total_outage_is_amplified_within_the_bound(
    percent: int, min_per_second: int, bursts: list[tuple[int, int, int]]
) -> None:
    """Every request fails and wants `wishes` retries."""
    budget = RetryBudget(RetryBudgetConfig(percent, min_per_second), 0)
    now_us = requests = attempts = 0
    for gap_us, burst, wishes in bursts:
        now_us += gap_us
        for _ in range(burst):
            requests += 1
            budget.deposit(now_us)
            attempts += 1 + sum(budget.try_withdraw(now_us) for _ in range(wishes))
            floor = min_per_second * (now_us / SECOND_US + 10)
            assert attempts <= requests * (1 + percent / 100) + floor + 1e-6


def test_sustained_outage_uses_what_the_budget_allows() -> None:
    """100 requests a second for 60 s, all failing, each wanting two retries: 20 % and 3/s and the first 30."""
    budget = RetryBudget(RetryBudgetConfig(), 0)
    retries = 0
    for request in range(6_000):
        now_us = request * SECOND_US // 100
        budget.deposit(now_us)
        retries += budget.try_withdraw(now_us) + budget.try_withdraw(now_us)
    assert 1_400 <= retries <= 6_000 * 0.2 + 3 * 60 + 30
