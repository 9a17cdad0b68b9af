"""OpenTelemetry's exporters, which here never raise, and tell of an outage once and not with every attempt."""

import logging
from collections.abc import Sequence
from typing import Any, Final

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics.export import MetricExportResult, MetricsData
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

_TIMEOUT_S: Final = 5.0
_log = logging.getLogger("moongate.otlp")


class _Outage:
    """Whether the collector takes what it is sent."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._since: int | None = None

    def note(self, *, taken: bool, refused: int) -> None:
        """One attempt to send; `refused` is how many were lost so far."""
        if not taken and self._since is None:
            self._since = refused
            _log.warning("the collector does not take %s: they are dropped until it does", self._what)
        elif taken and self._since is not None:
            _log.warning("the collector takes %s again; %d were dropped", self._what, refused - self._since)
            self._since = None


class CountingSpanExporter(OTLPSpanExporter):
    """Sends spans. `handled` counts all that it was given, `refused` those of them that were lost."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(f"{endpoint}/v1/traces", timeout=_TIMEOUT_S)
        self.handled = self.refused = 0
        self._outage = _Outage("spans")

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Sends them, once or until that took too long."""
        try:
            result = super().export(spans)
        except Exception:  # noqa: BLE001 - whatever the SDK stumbles over must not end its thread
            result = SpanExportResult.FAILURE
        taken = result is SpanExportResult.SUCCESS
        self.handled += len(spans)
        if not taken:
            self._outage.note(taken=False, refused=self.refused)
            self.refused += len(spans)
        else:
            self._outage.note(taken=True, refused=self.refused)
        return result


class CountingMetricExporter(OTLPMetricExporter):
    """Sends metrics: sums since the start, so that one that is lost is made good by the next."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(f"{endpoint}/v1/metrics", timeout=_TIMEOUT_S)
        self.refused = 0
        self._outage = _Outage("metrics")

    def export(self, metrics_data: MetricsData, timeout_millis: float | None = None, **more: Any) -> MetricExportResult:
        """Sends them, once or until that took too long."""
        try:
            result = super().export(metrics_data, timeout_millis, **more)
        except Exception:  # noqa: BLE001 - whatever the SDK stumbles over must not end its thread
            result = MetricExportResult.FAILURE
        taken = result is MetricExportResult.SUCCESS
        self._outage.note(taken=taken, refused=self.refused)
        self.refused += not taken
        return result
