"""What is declared of a metric: data, from which its memory, its page in the documents and its text are made."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How Prometheus reads it. The value is its word for it."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Merge(StrEnum):
    """What a gauge of several workers is together. The value is what the documents say."""

    SUM = "the sum over all workers"
    HIGHEST = "the highest of all workers"
    LOWEST = "the lowest of all workers"
    OWN = "as the worker that answers sees it"


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """One metric. It is itself and equal to no other, so that it is found quickly.

    Attributes:
        help: A sentence without its full stop.
        labels: Names. Values are of configuration or of a fixed set, never what a client may choose.
        buckets: Of a histogram, the upper bounds, rising; the infinite one is not among them.
        merge: Of a gauge. Counters and histograms of all workers are added up.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    merge: Merge = Merge.SUM

    @property
    def cells(self) -> int:
        """How many numbers one series of it takes: of a histogram, each bucket's count, the infinite one's, the sum."""
        return len(self.buckets) + 2 if self.kind is Kind.HISTOGRAM else 1


def counter(name: str, told: str, *labels: str) -> Metric:
    """One that only rises."""
    return Metric(name, Kind.COUNTER, told, labels)


def gauge(name: str, told: str, *labels: str, merge: Merge = Merge.SUM) -> Metric:
    """One that rises and falls."""
    return Metric(name, Kind.GAUGE, told, labels, merge=merge)


def histogram(name: str, told: str, *labels: str, buckets: tuple[float, ...]) -> Metric:
    """How often which sizes were seen."""
    return Metric(name, Kind.HISTOGRAM, told, labels, buckets)
