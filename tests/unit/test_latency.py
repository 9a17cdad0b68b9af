import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.durations import MINUTE_US, SECOND_US
from domain.latency import (
    DECAY_US,
    LatencySketch,
    PeakEwma,
    Percentiles,
    SlidingSketch,
    observe,
    observe_failure,
    observe_lower_bound,
    read,
)
from domain.routing.strategies import arrange_by
from domain.routing.strategy import StrategyName
from tests.unit.routing.trees import Walker, option

NOW_US = 1_790_000_000 * SECOND_US
SAMPLES = st.lists(st.integers(1_000, 600 * SECOND_US), min_size=1, max_size=80)


def test_the_first_sample_is_the_estimate() -> None:
    assert observe(None, 250_000, NOW_US) == PeakEwma(250_000, NOW_US)


def test_a_larger_sample_is_believed_at_once() -> None:
    state = observe(PeakEwma(100_000, NOW_US), 900_000, NOW_US + 1)

    assert state == PeakEwma(900_000, NOW_US + 1)


def test_a_smaller_sample_pulls_the_estimate_down_by_the_time_that_passed() -> None:
    state = observe(PeakEwma(1_000_000, NOW_US), 200_000, NOW_US + DECAY_US)

    assert state.updated_us == NOW_US + DECAY_US
    assert state.estimate_us == int(1_000_000 / math.e + 200_000 * (1 - 1 / math.e))
    assert observe(PeakEwma(1_000_000, NOW_US), 200_000, NOW_US).estimate_us == 1_000_000


def test_audit_1_2_the_estimate_decays_by_time_and_not_by_sample() -> None:
    often = PeakEwma(1_000_000, NOW_US)
    for step in range(1, 101):
        often = observe(often, 200_000, NOW_US + step * DECAY_US // 100)
    once = observe(PeakEwma(1_000_000, NOW_US), 200_000, NOW_US + DECAY_US)

    assert abs(often.estimate_us - once.estimate_us) <= 100


def test_a_clock_that_steps_back_changes_neither_time_nor_sense() -> None:
    state = PeakEwma(1_000_000, NOW_US)

    assert observe(state, 10, NOW_US - SECOND_US) == state
    assert observe(state, 2_000_000, NOW_US - SECOND_US) == PeakEwma(2_000_000, NOW_US)
    assert observe_failure(state, 10, NOW_US - SECOND_US) == PeakEwma(2_000_000, NOW_US)
    assert observe_lower_bound(state, 3_000_000, NOW_US - SECOND_US) == PeakEwma(3_000_000, NOW_US)
    assert read(state, NOW_US - SECOND_US) == 1_000_000


def test_what_is_not_measured_is_unknown() -> None:
    assert read(None, NOW_US) is None


def test_reading_decays_while_an_instance_is_idle() -> None:
    state = PeakEwma(1_000_000, NOW_US)

    assert read(state, NOW_US) == 1_000_000
    assert read(state, NOW_US + DECAY_US) == int(1_000_000 / math.e)
    assert read(state, NOW_US + DECAY_US // 2, decay_us=DECAY_US // 2) == int(1_000_000 / math.e)


def test_an_estimate_never_reads_as_zero() -> None:
    assert read(PeakEwma(1, NOW_US), NOW_US + 4 * DECAY_US) == 1
    assert read(PeakEwma(0, NOW_US), NOW_US) == 1


def test_an_estimate_is_forgotten_when_nearly_nothing_is_left_of_it() -> None:
    state = PeakEwma(60 * SECOND_US, NOW_US)

    assert read(state, NOW_US + 5 * DECAY_US - 1) is not None
    assert read(state, NOW_US + 5 * DECAY_US) is None


def test_a_failure_doubles_what_was_expected() -> None:
    state = PeakEwma(3_000_000, NOW_US)

    assert observe_failure(state, 1_000, NOW_US) == PeakEwma(6_000_000, NOW_US)
    later = observe_failure(state, 1_000, NOW_US + DECAY_US)
    assert later == PeakEwma(2 * int(3_000_000 / math.e), NOW_US + DECAY_US)


@pytest.mark.parametrize("state", [None, PeakEwma(10_000, NOW_US), PeakEwma(90 * SECOND_US, NOW_US - 5 * DECAY_US)])
def test_a_failure_looks_like_a_second_at_least_and_like_what_it_took(state: PeakEwma | None) -> None:
    assert observe_failure(state, 1_000, NOW_US) == PeakEwma(SECOND_US, NOW_US)
    assert observe_failure(state, 45 * SECOND_US, NOW_US) == PeakEwma(45 * SECOND_US, NOW_US)


def test_failures_never_push_the_estimate_beyond_ten_minutes() -> None:
    state = None
    for _ in range(40):
        state = observe_failure(state, 1_000, NOW_US)

    assert state == PeakEwma(600 * SECOND_US, NOW_US)
    assert observe_failure(None, 900 * SECOND_US, NOW_US).estimate_us == 600 * SECOND_US


def test_a_cancelled_attempt_only_ever_raises_the_estimate() -> None:
    state = PeakEwma(2_000_000, NOW_US)

    assert observe_lower_bound(state, 1_999_999, NOW_US) is state
    assert observe_lower_bound(state, 5_000_000, NOW_US) == PeakEwma(5_000_000, NOW_US)
    assert observe_lower_bound(state, 1_000_000, NOW_US + DECAY_US) == PeakEwma(1_000_000, NOW_US + DECAY_US)
    assert observe_lower_bound(state, 900 * SECOND_US, NOW_US) == PeakEwma(600 * SECOND_US, NOW_US)


def test_a_cancelled_attempt_makes_no_unknown_instance_look_fast() -> None:
    assert observe_lower_bound(None, 5_000, NOW_US) is None
    assert observe_lower_bound(None, SECOND_US, NOW_US) is None
    assert observe_lower_bound(None, 20 * SECOND_US, NOW_US) == PeakEwma(20 * SECOND_US, NOW_US)


@given(
    st.one_of(st.none(), st.builds(PeakEwma, st.integers(0, 600 * SECOND_US), st.just(NOW_US))),
    st.integers(0, 700 * SECOND_US),
    st.integers(0, 10 * DECAY_US),
)
def test_failures_and_cancellations_never_make_an_instance_look_faster(
    state: PeakEwma | None, elapsed_us: int, idle_us: int
) -> None:
    now_us = NOW_US + idle_us
    before = read(state, now_us)

    assert (read(observe_failure(state, elapsed_us, now_us), now_us) or 0) >= (before or 0)
    assert (read(observe_lower_bound(state, elapsed_us, now_us), now_us) or 0) >= (before or 0)


class Fleet:
    """Instances behind least-latency, one request after the other, with a service time or a failure for each."""

    def __init__(self, service_us: dict[str, int], failing: frozenset[str] = frozenset()) -> None:
        self.service_us = service_us
        self.failing = failing
        self.states: dict[str, PeakEwma | None] = dict.fromkeys(service_us)
        self.now_us = NOW_US
        self._draw = random.Random(3).random

    def serve(self) -> str:
        options = [option(name, expected_latency_us=read(state, self.now_us)) for name, state in self.states.items()]
        taken = Walker().take(arrange_by(StrategyName.LEAST_LATENCY)("gpt-4", options, self._draw))
        assert taken is not None
        took_us = self.service_us[taken]
        self.now_us += took_us
        record = observe_failure if taken in self.failing else observe
        self.states[taken] = record(self.states[taken], took_us, self.now_us)
        return taken


def test_an_instance_that_fails_within_a_millisecond_attracts_nothing() -> None:
    fleet = Fleet({"good": 2_000_000, "sinkhole": 1_000}, failing=frozenset({"sinkhole"}))

    taken = [fleet.serve() for _ in range(1_000)]

    assert taken.count("sinkhole") <= 120


def test_a_fast_instance_takes_most_and_a_slow_idle_one_comes_back_into_play() -> None:
    fleet = Fleet({"fast": 500_000, "slow": 2_000_000})

    taken = [fleet.serve() for _ in range(1_000)]

    assert taken.count("fast") > 950
    assert taken[100:].count("slow") >= 5


def test_an_instance_that_recovered_is_found_again() -> None:
    fleet = Fleet({"steady": 1_000_000, "ill": 60_000_000})
    for _ in range(50):
        fleet.serve()

    fleet.service_us["ill"] = 100_000
    taken = [fleet.serve() for _ in range(400)]

    assert taken[-100:].count("ill") > 90


@given(SAMPLES, st.sampled_from([0.0, 0.25, 0.5, 0.9, 0.95, 0.99, 1.0]))
def test_a_quantile_is_within_two_percent_of_the_true_sample(samples: list[int], q: float) -> None:
    sketch = LatencySketch()
    for sample in samples:
        sketch.add(sample)

    found = sketch.quantile(q)

    true = sorted(samples)[int(q * (len(samples) - 1))]
    assert found is not None
    assert abs(found - true) <= 0.02 * true + 1


@given(SAMPLES, SAMPLES)
def test_merged_sketches_are_the_sketch_of_all_samples(left: list[int], right: list[int]) -> None:
    merged, other, union = LatencySketch(), LatencySketch(), LatencySketch()
    for sample in left:
        merged.add(sample)
    for sample in right:
        other.add(sample)
    for sample in left + right:
        union.add(sample)

    merged.merge(other)

    assert merged == union
    assert other.count == len(right)


def test_samples_are_held_to_a_millisecond_and_ten_minutes() -> None:
    sketch = LatencySketch()
    for sample in (-5, 0, 1, 999, 1_000):
        sketch.add(sample)
    for sample in (600 * SECOND_US, 10**15):
        sketch.add(sample)

    assert len(sketch.counts) == 2
    assert sketch.quantile(0) == pytest.approx(1_000, rel=0.021)
    assert sketch.quantile(1) == pytest.approx(600 * SECOND_US, rel=0.021)
    assert max(sketch.counts) - min(sketch.counts) < 335


def test_a_sketch_of_nothing_has_no_quantiles_and_none_exist_beyond_0_to_1() -> None:
    sketch = LatencySketch()

    assert sketch.quantile(0.5) is None
    for q in (-0.01, 1.01, math.nan):
        with pytest.raises(ValueError, match="from 0 to 1"):
            sketch.quantile(q)


def test_lessons_percentiles_are_of_sorted_samples() -> None:
    sliding = SlidingSketch()
    samples = [ms * 1_000 for ms in range(1, 1_001)]
    random.Random(1).shuffle(samples)
    for sample in samples:
        sliding.add(sample, NOW_US)

    percentiles = sliding.percentiles(NOW_US)

    assert percentiles.count == 1_000
    assert percentiles.p50_us == pytest.approx(500_000, rel=0.02)
    assert percentiles.p95_us == pytest.approx(950_000, rel=0.02)
    assert percentiles.p99_us == pytest.approx(990_000, rel=0.02)


def test_percentiles_cover_the_running_minute_and_the_four_before() -> None:
    sliding = SlidingSketch()
    start_us = NOW_US // MINUTE_US * MINUTE_US
    sliding.add(9_000_000, start_us)
    sliding.add(1_000_000, start_us + MINUTE_US)

    assert sliding.percentiles(start_us + 5 * MINUTE_US - 1).count == 2
    later = sliding.percentiles(start_us + 5 * MINUTE_US)
    assert later.count == 1
    assert later.p99_us == pytest.approx(1_000_000, rel=0.02)
    assert sliding.percentiles(start_us + 6 * MINUTE_US) == Percentiles(None, None, None, 0)


def test_a_sliding_sketch_holds_no_more_than_five_minutes() -> None:
    sliding = SlidingSketch()

    for minute in range(100):
        sliding.add(1_000_000, NOW_US + minute * MINUTE_US)

    assert len(sliding.minutes) == 5
