"""The bucketed window against an exact log of every charge."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from domain.durations import MINUTE_US, SECOND_US
from domain.limits.sliding_window import SlidingWindow

GAPS_US = st.one_of(
    st.integers(0, 3_000),
    st.sampled_from([SECOND_US - 1, SECOND_US, 59 * SECOND_US, MINUTE_US - 1, MINUTE_US, MINUTE_US + 1]),
    st.integers(0, 70 * SECOND_US),
)
STARTS_US = st.integers(0, 10 * MINUTE_US)
LIMITS = st.integers(1, 12)


@dataclass
class ExactLog:
    """Every amount with the instant it was charged at."""

    charges: list[tuple[int, int]] = field(default_factory=list)

    def most_in_any_minute(self) -> int:
        return max(
            (sum(amount for at_us, amount in self.charges if 0 <= at_us - start_us < MINUTE_US))
            for start_us, _ in self.charges
        )

    def in_the_minute_before(self, now_us: int) -> int:
        return sum(amount for at_us, amount in self.charges if now_us - at_us < MINUTE_US)


@given(STARTS_US, LIMITS, st.lists(st.tuples(GAPS_US, st.integers(1, 4)), min_size=1, max_size=60))
def test_never_more_than_the_limit_in_any_true_minute(start_us: int, limit: int, steps: list[tuple[int, int]]) -> None:
    window, log, now_us = SlidingWindow(), ExactLog(), start_us
    for gap_us, amount in steps:
        now_us += gap_us
        assert window.used(now_us) >= log.in_the_minute_before(now_us)
        if window.decide(limit, amount, now_us).allowed:
            window.charge(amount, now_us)
            log.charges.append((now_us, amount))

    assert not log.charges or log.most_in_any_minute() <= limit


@given(STARTS_US, LIMITS, st.lists(st.tuples(GAPS_US, st.integers(1, 4)), min_size=1, max_size=60))
def test_refused_names_the_very_microsecond_from_which_it_is_allowed(
    start_us: int, limit: int, steps: list[tuple[int, int]]
) -> None:
    window, now_us = SlidingWindow(), start_us
    for gap_us, amount in steps:
        now_us += gap_us
        decision = window.decide(limit, amount, now_us)
        if decision.allowed:
            window.charge(amount, now_us)
        elif decision.retry_after_us is None:
            assert amount > limit
        else:
            assert 0 < decision.retry_after_us <= MINUTE_US + SECOND_US
            now_us += decision.retry_after_us
            assert not window.decide(limit, amount, now_us - 1).allowed
            assert window.decide(limit, amount, now_us).allowed


@given(STARTS_US, st.lists(st.tuples(GAPS_US, st.integers(0, 500), st.integers(0, 500), GAPS_US), max_size=30))
def test_what_is_settled_counts_as_if_it_had_been_charged_so_at_first(
    start_us: int, calls: list[tuple[int, int, int, int]]
) -> None:
    events, now_us = [], start_us
    for number, (gap_us, _, _, lasts_us) in enumerate(calls):
        now_us += gap_us
        events += [(now_us, 0, number), (now_us + lasts_us, 1, number)]
    reserved, actual = SlidingWindow(), SlidingWindow()
    seconds: dict[int, int] = {}
    for at_us, is_settlement, number in sorted(events):
        _, estimate, used, _ = calls[number]
        if is_settlement:
            reserved.used(at_us)
            reserved.settle(seconds[number], used - estimate)
        else:
            seconds[number] = reserved.charge(estimate, at_us)
    for at_us, is_settlement, number in sorted(events):
        if not is_settlement:
            actual.charge(calls[number][2], at_us)
    end_us = max((at_us for at_us, _, _ in events), default=start_us)

    assert reserved.used(end_us) == actual.used(end_us)


def test_a_burst_at_the_end_of_a_minute_leaves_nothing_for_the_beginning_of_the_next() -> None:
    window = SlidingWindow()
    for _ in range(10):
        window.charge(1, 59 * SECOND_US + 999_000)

    assert not window.decide(10, 1, 60 * SECOND_US + 1_000).allowed


def test_a_settlement_after_the_window_has_passed_changes_nothing() -> None:
    window = SlidingWindow()
    second = window.charge(80, 0)
    window.used(2 * MINUTE_US)

    window.settle(second, -30)

    assert window.used(2 * MINUTE_US) == 0


def test_a_settlement_frees_room_at_once_and_in_its_own_second() -> None:
    window = SlidingWindow()
    second = window.charge(80, 0)
    window.charge(10, 30 * SECOND_US)
    window.settle(second, -30)

    assert window.decide(100, 40, 30 * SECOND_US).allowed
    assert window.used(61 * SECOND_US) == 10


def test_the_decision_tells_what_is_left_and_when_all_is_whole_again() -> None:
    window = SlidingWindow()
    window.charge(3, 5 * SECOND_US)

    allowed, refused = window.decide(10, 4, 5 * SECOND_US), window.decide(10, 8, 5 * SECOND_US)

    assert (allowed.remaining, allowed.retry_after_us) == (3, 0)
    assert (refused.remaining, refused.retry_after_us) == (7, 61 * SECOND_US)
    assert allowed.reset_after_us == 61 * SECOND_US


def test_a_window_never_holds_more_than_61_buckets() -> None:
    window = SlidingWindow()
    for second in range(1_000):
        window.charge(1, second * SECOND_US)

    assert window.used(999 * SECOND_US) == 61
