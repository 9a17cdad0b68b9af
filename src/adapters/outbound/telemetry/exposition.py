"""Metrics as text, in the two formats that Prometheus reads."""

from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from math import isnan

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from adapters.outbound.telemetry.metric import Kind, Merge, Metric
from adapters.outbound.telemetry.metric_page import Labels, MetricPage
from adapters.outbound.telemetry.metrics import METRICS

_OPENMETRICS = "application/openmetrics-text"
_COMBINE: dict[Merge, Callable[[float, float], float]] = {
    Merge.SUM: lambda one, other: one + other,
    Merge.HIGHEST: max,
    Merge.LOWEST: min,
    Merge.OWN: lambda own, _other: own,
}

Merged = dict[Metric, dict[Labels, list[float]]]


def exposed(pages: Iterable[MetricPage], accept: str) -> tuple[str, bytes]:
    """Content type and text of what all pages say together, the answering process's own first.

    The client library would choose by `accept` too, but fails on versions that are none.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(merged(pages)))
    if _OPENMETRICS in accept:
        return CONTENT_TYPE_LATEST, generate_openmetrics(registry)  # type: ignore[no-untyped-call]  # the one untyped
    return CONTENT_TYPE_PLAIN_0_0_4, generate_latest(registry)


def merged(pages: Iterable[MetricPage]) -> Merged:
    """The numbers of every series, put together."""
    found: Merged = {}
    for number, page in enumerate(pages):
        for series in page.series():
            metric = series.metric
            if number and metric.kind is Kind.GAUGE and metric.merge is Merge.OWN:
                continue
            numbers = page.numbers(series)
            if isnan(numbers[0]):
                continue
            known = found.setdefault(metric, {})
            before = known.get(series.labels)
            known[series.labels] = numbers if before is None else _together(metric, before, numbers)
    return found


def _together(metric: Metric, before: list[float], numbers: list[float]) -> list[float]:
    combine = _COMBINE[metric.merge]
    return [combine(one, other) for one, other in zip(before, numbers, strict=True)]


class _Collected:
    """What the client library asks for what it writes."""

    def __init__(self, found: Merged) -> None:
        self._found = found

    def describe(self) -> Iterable[Family]:
        """Nothing: no name can be registered twice here."""
        return ()

    def collect(self) -> Iterator[Family]:
        for metric in METRICS:
            if metric in self._found:
                yield _family(metric, self._found[metric])


def _family(metric: Metric, series: dict[Labels, list[float]]) -> Family:
    match metric.kind:
        case Kind.HISTOGRAM:
            histogram = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
            bounds = [*map(str, metric.buckets), "+Inf"]
            for labels, (*counts, total) in series.items():
                histogram.add_metric(labels, list(zip(bounds, accumulate(counts), strict=True)), total)
            return histogram
        case Kind.COUNTER:
            family: CounterMetricFamily | GaugeMetricFamily = CounterMetricFamily(
                metric.name, metric.help, labels=metric.labels
            )
        case Kind.GAUGE:
            family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
    for labels, (value,) in series.items():
        family.add_metric(labels, value)
    return family
