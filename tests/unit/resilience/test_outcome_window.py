from hypothesis import given
from hypothesis import strategies as st

from domain.durations import SECOND_US
from domain.resilience.outcome_window import EMPTY, OutcomeWindow, add, slide

WINDOW_US = 30 * SECOND_US
STEPS = st.lists(st.tuples(st.integers(0, 4 * SECOND_US), st.booleans(), st.booleans()), max_size=80)


def totals(window: OutcomeWindow) -> tuple[int, int, int]:
    return window.calls, window.failures, window.slow


def test_window_counts_calls_failures_and_slow_calls_separately() -> None:
    window = add(WINDOW_US, EMPTY, 5 * SECOND_US, failed=True, slow=False)
    window = add(WINDOW_US, window, 5 * SECOND_US, failed=False, slow=True)
    window = add(WINDOW_US, window, 6 * SECOND_US, failed=True, slow=True)
    assert totals(window) == (3, 2, 2)
    assert window.buckets == ((5, 2, 1, 1), (6, 1, 1, 1))


def test_window_keeps_an_outcome_until_its_last_second_has_passed() -> None:
    window = add(WINDOW_US, EMPTY, 100 * SECOND_US, failed=True, slow=True)
    assert totals(slide(WINDOW_US, window, 130 * SECOND_US - 1)) == (1, 1, 1)
    assert totals(slide(WINDOW_US, window, 130 * SECOND_US)) == (0, 0, 0)


def test_window_loses_only_the_buckets_that_are_too_old() -> None:
    window = EMPTY
    for second in (99, 100, 101):
        window = add(WINDOW_US, window, second * SECOND_US, failed=True, slow=True)
    assert slide(WINDOW_US, window, 129 * SECOND_US) == OutcomeWindow(2, 2, 2, ((100, 1, 1, 1), (101, 1, 1, 1)))


def test_window_of_a_fraction_of_a_second_more_reaches_one_bucket_further() -> None:
    window = add(WINDOW_US, EMPTY, 100 * SECOND_US, failed=True, slow=False)
    assert slide(WINDOW_US + 1, window, 131 * SECOND_US - 1).failures == 1
    assert slide(WINDOW_US + 1, window, 131 * SECOND_US).failures == 0


def test_window_that_loses_nothing_is_the_same_object() -> None:
    window = add(WINDOW_US, EMPTY, 0, failed=False, slow=False)
    assert slide(WINDOW_US, window, 29 * SECOND_US) is window


def test_window_counts_a_late_report_in_the_newest_bucket() -> None:
    window = add(WINDOW_US, EMPTY, 10 * SECOND_US, failed=False, slow=False)
    assert add(WINDOW_US, window, 9 * SECOND_US, failed=True, slow=False).buckets == ((10, 2, 1, 0),)


@given(STEPS)
def test_window_totals_are_those_of_a_plain_list_of_outcomes(steps: list[tuple[int, bool, bool]]) -> None:
    window, now_us, log = EMPTY, 0, []
    for gap_us, failed, slow in steps:
        now_us += gap_us
        window = add(WINDOW_US, window, now_us, failed=failed, slow=slow)
        log.append((now_us // SECOND_US, failed, slow))
        inside = [entry for entry in log if entry[0] > now_us // SECOND_US - 30]
        assert totals(window) == (len(inside), sum(entry[1] for entry in inside), sum(entry[2] for entry in inside))
        assert len(window.buckets) <= 30
