"""The numbers of one process, in memory that its siblings can read."""

import json
import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from adapters.outbound.telemetry.metric import Kind, Metric
from adapters.outbound.telemetry.metrics import METRICS
from adapters.outbound.telemetry.process_metrics_declared import SERIES_DROPPED

_HEAD_BYTES = 8
_NAMES_BYTES = 4 << 20
_CELL_BYTES = 8
PAGE_BYTES = 8 << 20
# What has no room is written here, and never read.
_BIN_CELLS = 64

Labels = tuple[str, ...]


class Series(NamedTuple):
    """A metric with one set of label values: where its first number stands."""

    metric: Metric
    labels: Labels
    at: int


class _Seen(NamedTuple):
    """As far as a page was read: that many bytes of names, and where the next number stands."""

    series: Sequence[Series]
    used: int
    free: int


class MetricPage:
    """Series, each added once and never moved: its name as a line of text, its numbers as doubles.

    Only one process writes. Others may read at any time: a line counts from the moment that the head says so, and a
    number is written at once or not at all. Nothing is in flight when the writer is killed, and whoever takes its place
    goes on where it stopped.

    Adding to a series costs a dictionary look-up and a store to memory: no lock, no system call.
    """

    def __init__(self, memory: memoryview, metrics: Iterable[Metric] = METRICS) -> None:
        self._head = memory[:_HEAD_BYTES].cast("Q")
        self._names = memory[_HEAD_BYTES:_NAMES_BYTES]
        self._numbers = memory[_NAMES_BYTES:].cast("d")
        self._metrics: Mapping[str, Metric] = {metric.name: metric for metric in metrics}
        self._seen: _Seen = _Seen((), 0, _BIN_CELLS)
        self._free = _BIN_CELLS
        self._places: dict[Metric, dict[Labels, int]] = {metric: {} for metric in self._metrics.values()}
        for series in self.series():
            self._places[series.metric][series.labels] = series.at
        self._free = self._seen.free

    def add(self, metric: Metric, labels: Labels = (), amount: float = 1.0) -> None:
        """Raises a counter."""
        at = self._places[metric].get(labels)
        self._numbers[self._placed(metric, labels) if at is None else at] += amount

    def observe(self, metric: Metric, labels: Labels, size: float) -> None:
        """Counts `size` into a histogram."""
        at = self._places[metric].get(labels)
        if at is None:
            at = self._placed(metric, labels)
        buckets, numbers = metric.buckets, self._numbers
        numbers[at + bisect_left(buckets, size)] += 1.0
        numbers[at + len(buckets) + 1] += size

    def show(self, metric: Metric, values: Mapping[Labels, float]) -> None:
        """Sets a gauge; label values that it had before, and has not now, are gone."""
        places = self._places[metric]
        for labels, value in values.items():
            self._numbers[self._placed(metric, labels)] = value
        for labels in places.keys() - values.keys():
            self._numbers[places[labels]] = math.nan

    def forget_gauges(self) -> None:
        """For when the process is dead: what it counted stays, how it stood does not."""
        for series in self.series():
            if series.metric.kind is Kind.GAUGE:
                self._numbers[series.at] = math.nan

    def series(self) -> Sequence[Series]:
        """All that there are, whoever wrote them. Each line is read once: what is written stays."""
        seen, used = self._seen, self._head[0]
        if used == seen.used:
            return seen.series
        found, at = list(seen.series), seen.free
        for line in bytes(self._names[seen.used : used]).splitlines():
            name, *labels = json.loads(line)
            metric = self._metrics[name]
            found.append(Series(metric, tuple(labels), at))
            at += metric.cells
        self._seen = _Seen(found, used, at)  # At once: another thread may be reading, too.
        return found

    def numbers(self, series: Series) -> list[float]:
        """The numbers of one of them."""
        return list(self._numbers[series.at : series.at + series.metric.cells])

    def _placed(self, metric: Metric, labels: Labels) -> int:
        """Where the series stands, from now on."""
        places = self._places[metric]
        if labels in places:
            return places[labels]
        line = json.dumps([metric.name, *labels]).encode() + b"\n"
        used, at = self._head[0], self._free
        if used + len(line) > len(self._names) or at + metric.cells > len(self._numbers):
            self._numbers[self._places[SERIES_DROPPED].get((), 0)] += 1.0
            return 0
        if metric.kind is Kind.GAUGE:
            self._numbers[at] = math.nan
        self._names[used : used + len(line)] = line
        self._head[0] = used + len(line)
        self._free = at + metric.cells
        places[labels] = at
        return at
