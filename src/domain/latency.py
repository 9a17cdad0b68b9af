"""How long instances take: an estimate to choose by, and percentiles to look at."""

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from domain.durations import MINUTE_US, SECOND_US

DECAY_US: Final = 30 * SECOND_US
FORGOTTEN_AFTER_DECAYS: Final = 5
LEAST_PENALTY_US: Final = SECOND_US
MOST_US: Final = 600 * SECOND_US
LEAST_US: Final = 1_000

RELATIVE_ERROR: Final = 0.02
WINDOW_MINUTES: Final = 5

_GAMMA: Final = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_LN_GAMMA: Final = math.log(_GAMMA)
_MIDDLE: Final = 2 / (_GAMMA + 1)


class LatencyKind(StrEnum):
    """Two clocks that must not be mixed: a whole reply, and a stream's first content."""

    WHOLE = "whole"
    FIRST_CONTENT = "first_content"


@dataclass(frozen=True, slots=True)
class PeakEwma:
    """A moving average that believes bad news at once and good news slowly (Finagle's, as in tower).

    What it says now is `read`; `estimate_us` is what it said at `updated_us`.
    """

    estimate_us: int
    updated_us: int


def observe(state: PeakEwma | None, sample_us: int, now_us: int, decay_us: int = DECAY_US) -> PeakEwma:
    """After a success: a sample above the estimate replaces it, one below pulls it down by the time that passed."""
    if state is None or sample_us > state.estimate_us:
        return PeakEwma(sample_us, now_us if state is None else max(now_us, state.updated_us))
    elapsed_us = max(0, now_us - state.updated_us)
    weight = math.exp(-elapsed_us / decay_us)
    return PeakEwma(int(state.estimate_us * weight + sample_us * (1 - weight)), state.updated_us + elapsed_us)


def read(state: PeakEwma | None, now_us: int, decay_us: int = DECAY_US) -> int | None:
    """What to expect now. It sinks while nothing is measured, so that an avoided instance is tried again.

    None where nothing was measured, or so long ago (5 times `decay_us`) that under 1 % is left; and never 0. Zero times
    any number of requests in flight stays 0: an instance that slept would be sent everything at once.
    """
    if state is None:
        return None
    elapsed_us = now_us - state.updated_us
    if elapsed_us <= 0:
        return max(1, state.estimate_us)
    if elapsed_us >= FORGOTTEN_AFTER_DECAYS * decay_us:
        return None
    return max(1, int(state.estimate_us * math.exp(-elapsed_us / decay_us)))


def observe_failure(state: PeakEwma | None, elapsed_us: int, now_us: int, decay_us: int = DECAY_US) -> PeakEwma:
    """After a failure: twice what was expected, at least what it took and at least 1 s, at most 600 s.

    Without it an instance that refuses everything within a millisecond would look like the fastest.
    """
    expected_us = read(state, now_us, decay_us) or 0
    estimate_us = min(MOST_US, max(2 * expected_us, elapsed_us, LEAST_PENALTY_US))
    return PeakEwma(estimate_us, now_us if state is None else max(now_us, state.updated_us))


def observe_lower_bound(
    state: PeakEwma | None, elapsed_us: int, now_us: int, decay_us: int = DECAY_US
) -> PeakEwma | None:
    """After a cancelled attempt: it would have taken at least `elapsed_us`. Only ever raises the estimate.

    Where nothing is known, less than 1 s tells nothing and leaves it unknown.
    """
    expected_us = read(state, now_us, decay_us)
    if elapsed_us <= (LEAST_PENALTY_US if expected_us is None else expected_us):
        return state
    return PeakEwma(min(MOST_US, elapsed_us), now_us if state is None else max(now_us, state.updated_us))


@dataclass(slots=True)
class LatencySketch:
    """Counts in buckets that grow by 4 %: any quantile within 2 % of the true sample (DDSketch, Masson et al. 2019).

    Sketches of several gateways or minutes merge without loss. Samples are held to 1 ms … 600 s, which makes at most
    335 buckets.
    """

    counts: dict[int, int] = field(default_factory=dict)
    count: int = 0

    def add(self, value_us: int) -> None:
        """Counts one sample."""
        index = math.ceil(math.log(min(max(value_us, LEAST_US), MOST_US)) / _LN_GAMMA)
        self.counts[index] = self.counts.get(index, 0) + 1
        self.count += 1

    def merge(self, other: "LatencySketch") -> None:
        """Takes in what `other` counted, as if every sample had been added here."""
        for index, count in other.counts.items():
            self.counts[index] = self.counts.get(index, 0) + count
        self.count += other.count

    def quantile(self, q: float) -> int | None:
        """The sample at rank `floor(q * (count - 1))` of the sorted samples; None where there are none.

        Raises:
            ValueError: `q` is outside 0 … 1.
        """
        if not 0 <= q <= 1:
            raise ValueError(f"expected a quantile from 0 to 1, found {q!r}")
        rank = int(q * (self.count - 1))
        seen = 0
        for index in sorted(self.counts):
            seen += self.counts[index]
            if seen > rank:
                return round(_MIDDLE * _GAMMA**index)
        return None


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of the last five minutes; None where `count` is 0."""

    p50_us: int | None
    p95_us: int | None
    p99_us: int | None
    count: int


@dataclass(slots=True)
class SlidingSketch:
    """Percentiles over the last five minutes: the running one and the four before, each with its own sketch."""

    minutes: dict[int, LatencySketch] = field(default_factory=dict)

    def add(self, sample_us: int, now_us: int) -> None:
        """Counts a sample; with the first of a minute, the sketches that left the window are dropped."""
        minute = now_us // MINUTE_US
        sketch = self.minutes.get(minute)
        if sketch is None:
            self.minutes = {key: kept for key, kept in self.minutes.items() if key > minute - WINDOW_MINUTES}
            sketch = self.minutes[minute] = LatencySketch()
        sketch.add(sample_us)

    def percentiles(self, now_us: int) -> Percentiles:
        """The percentiles as of now. For people and dashboards: merges up to five sketches."""
        oldest = now_us // MINUTE_US - WINDOW_MINUTES + 1
        window = LatencySketch()
        for minute, sketch in self.minutes.items():
            if minute >= oldest:
                window.merge(sketch)
        return Percentiles(window.quantile(0.50), window.quantile(0.95), window.quantile(0.99), window.count)
