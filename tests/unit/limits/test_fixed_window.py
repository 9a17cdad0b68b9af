from hypothesis import given
from hypothesis import strategies as st

from domain.durations import MINUTE_US, SECOND_US
from domain.limits.fixed_window import FixedWindow

GAPS_US = st.one_of(st.integers(0, 3_000), st.integers(0, 70 * SECOND_US), st.sampled_from([MINUTE_US - 1, MINUTE_US]))


@given(st.integers(0, MINUTE_US), st.integers(1, 12), st.lists(st.tuples(GAPS_US, st.integers(0, 13)), max_size=50))
def test_it_agrees_with_a_count_for_each_minute(start_us: int, limit: int, asked: list[tuple[int, int]]) -> None:
    window, counts, now_us = FixedWindow(), dict[int, int](), start_us
    for gap_us, amount in asked:
        now_us += gap_us
        used = counts.get(now_us // MINUTE_US, 0)
        decision = window.decide(limit, amount, now_us)
        assert decision.allowed == (used + amount <= limit)
        if decision.allowed:
            window.charge(amount, now_us)
            counts[now_us // MINUTE_US] = used + amount
            assert decision.remaining == limit - used - amount
        else:
            until_turn_us = MINUTE_US - now_us % MINUTE_US
            assert decision.retry_after_us == (until_turn_us if amount <= limit else None)
            assert decision.remaining == limit - used


def test_a_minute_that_is_over_is_not_corrected() -> None:
    window = FixedWindow()
    window.charge(8, 0)
    window.charge(5, MINUTE_US)

    window.settle(0, -8)
    window.settle(1, -2)

    assert window.decide(10, 0, MINUTE_US).remaining == 7


def test_an_unused_window_is_whole_already() -> None:
    assert FixedWindow().decide(1, 2, 1).reset_after_us == 0
