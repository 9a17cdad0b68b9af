"""All metrics that there are, and the page of the documents about them."""

from collections.abc import Iterable

from adapters.outbound.telemetry.metric import Kind, Metric
from adapters.outbound.telemetry.process_metrics_declared import PROCESS_METRICS
from adapters.outbound.telemetry.request_metrics_declared import REQUEST_METRICS

METRICS = (*REQUEST_METRICS, *PROCESS_METRICS)

_HEAD = """# Metrics

`GET /metrics` answers with these, for Prometheus and in OpenMetrics, and needs no key: let only Prometheus reach it.
`observability.metrics: false` turns it off. Written from the declarations in
`src/adapters/outbound/telemetry/*_metrics_declared.py` by `python -m tests.unit.telemetry.metrics_page`.

* Durations are in seconds, sizes in bytes, money in US dollars.
* One gateway gives one answer, whichever of its workers is asked: counters and histograms are those of all workers,
  also of those that have died. Gauges say below how workers are put together; a dead worker has none.
* `model` is a model, a route or an alias of the configuration, and `other` for every other name. `instance_id` is an id
  of the configuration, `rule` a path pattern. No label holds a key, an account, a request, a prompt or a path.
* A request for a model that nobody has (404) or that its key may not use (403) is none for a model: it has no series in
  `moongate_requests_total` and no trace, and is counted in `moongate_http_responses_total` only.
* A series appears when it is first counted.
* The processes of `moongate worker` have no metrics: what they bring into the ledger is not in
  `moongate_usage_records_written_total`.

[A dashboard](grafana/moongate.json) for Grafana and [rules for alerts](grafana/alerts.yaml) use them.
"""


def metrics_page(metrics: Iterable[Metric] = METRICS) -> str:
    """The document, in Markdown."""
    rows = [_row(metric) for metric in metrics]
    return "\n".join([_HEAD, "| metric | kind | labels | what it tells |", "| --- | --- | --- | --- |", *rows, ""])


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    told = metric.help
    if metric.kind is Kind.GAUGE:
        told += f"; {metric.merge.value}"
    return f"| `{metric.name}` | {metric.kind.value} | {labels} | {told} |"
