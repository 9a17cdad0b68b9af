"""The bucket against an exact account in fractions."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from domain.durations import MINUTE_US, SECOND_US
from domain.limits.token_bucket import FARTHEST_US, TokenBucket

GAPS_US = st.one_of(st.integers(0, 3_000), st.integers(0, 70 * SECOND_US), st.sampled_from([SECOND_US, MINUTE_US]))
LIMITS = st.integers(1, 90)
STARTS_US = st.integers(0, 10 * MINUTE_US)
ASKED = st.lists(st.tuples(GAPS_US, st.integers(0, 100)), min_size=1, max_size=40)


class Water:
    """What is in the bucket, as a fraction, refilled steadily."""

    def __init__(self, limit: int, now_us: int) -> None:
        self.limit, self.level, self.now_us = limit, Fraction(limit), now_us

    def at(self, now_us: int) -> Fraction:
        self.level = min(Fraction(self.limit), self.level + Fraction(self.limit * (now_us - self.now_us), MINUTE_US))
        self.now_us = now_us
        return self.level


@given(LIMITS, STARTS_US, ASKED)
def test_it_agrees_with_a_bucket_of_water(limit: int, start_us: int, asked: list[tuple[int, int]]) -> None:
    bucket, water, now_us = TokenBucket(), Water(limit, start_us), start_us
    for gap_us, amount in asked:
        now_us += gap_us
        decision, level = bucket.decide(limit, amount, now_us), water.at(now_us)
        assert decision.allowed == (amount <= level)
        if decision.allowed:
            bucket.charge(limit, amount, now_us)
            water.level -= amount
        assert decision.remaining == int(water.level)


@given(LIMITS, STARTS_US, ASKED)
def test_refused_names_the_very_microsecond_from_which_it_is_allowed(
    limit: int, start_us: int, asked: list[tuple[int, int]]
) -> None:
    bucket, now_us = TokenBucket(), start_us
    for gap_us, amount in asked:
        now_us += gap_us
        decision = bucket.decide(limit, amount, now_us)
        if decision.allowed:
            bucket.charge(limit, amount, now_us)
        elif decision.retry_after_us is None:
            assert amount > limit
        else:
            now_us += decision.retry_after_us
            assert not bucket.decide(limit, amount, now_us - 1).allowed
            assert bucket.decide(limit, amount, now_us).allowed


@given(LIMITS, STARTS_US, st.lists(st.tuples(GAPS_US, GAPS_US, st.integers(0, 90), st.integers(0, 90)), max_size=20))
def test_settled_it_never_holds_more_than_if_the_usage_had_been_known(
    limit: int, start_us: int, calls: list[tuple[int, int, int, int]]
) -> None:
    events, now_us = [], start_us
    for number, (gap_us, lasts_us, _, _) in enumerate(calls):
        now_us += gap_us
        events += [(now_us, 0, number, now_us), (now_us + lasts_us, 1, number, now_us)]
    settled, known = TokenBucket(), TokenBucket()
    for at_us, is_settlement, number, charged_us in sorted(events):
        estimate, used = calls[number][2] % (limit + 1), calls[number][3] % (limit + 1)
        if is_settlement:
            settled.settle(limit, estimate, used, charged_us, at_us)
        elif known.decide(limit, max(estimate, used), at_us).allowed:
            settled.charge(limit, estimate, at_us)
            known.charge(limit, used, at_us)
        else:
            calls[number] = (0, 0, 0, 0)
    end_us = max((event[0] for event in events), default=start_us)

    assert settled.decide(limit, 0, end_us).remaining <= known.decide(limit, 0, end_us).remaining


def test_a_burst_of_its_whole_limit_fits_however_it_is_divided() -> None:
    bucket = TokenBucket()
    for _ in range(7):
        assert bucket.decide(7, 1, 0).allowed
        bucket.charge(7, 1, 0)

    assert not bucket.decide(7, 1, 0).allowed


def test_what_was_overdrawn_is_owed_for_one_more_minute_at_most() -> None:
    bucket = TokenBucket()
    bucket.charge(10, 10, 0)
    bucket.settle(10, 10, 15, 0, 0)
    assert bucket.decide(10, 1, 0).retry_after_us == 36 * SECOND_US

    bucket.settle(10, 10, 10_000, 0, 0)

    assert bucket.decide(10, 0, 0).reset_after_us == FARTHEST_US


def test_what_a_clock_wrote_that_has_gone_back_says_nothing() -> None:
    bucket = TokenBucket()
    bucket.charge(10, 10, 10 * MINUTE_US)

    assert bucket.decide(10, 10, 8 * MINUTE_US).allowed
    assert not bucket.decide(10, 1, 9 * MINUTE_US).allowed


def test_a_new_limit_keeps_the_time_that_the_bucket_still_needs() -> None:
    bucket = TokenBucket()
    bucket.charge(7, 1, 0)

    assert bucket.decide(70, 0, 0).reset_after_us == bucket.decide(7, 0, 0).reset_after_us == 8_571_429


def test_charging_nothing_under_a_new_limit_rounds_nothing() -> None:
    bucket = TokenBucket()
    bucket.charge(51, 1, 0)
    bucket.charge(100, 0, 0)

    assert bucket.decide(51, 0, 0).remaining == 50
