"""A collector on loopback that keeps what it is sent over OTLP/HTTP, as protobuf."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue


@dataclass(frozen=True, slots=True)
class SeenSpan:
    """A span as it arrived."""

    name: str
    kind: int
    trace_id: str
    span_id: str
    parent_id: str
    began_ns: int
    ended_ns: int
    is_error: bool
    attributes: dict[str, Any]


@dataclass(slots=True)
class Collector:
    """What was received. `status`: what it answers."""

    port: int = 0
    status: int = 200
    spans: list[SeenSpan] = field(default_factory=list)
    resources: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[tuple[str, tuple[tuple[str, Any], ...]], int] = field(default_factory=dict)
    raw: bytearray = field(default_factory=bytearray)
    refused: int = 0

    @property
    def endpoint(self) -> str:
        """What `observability.otlp_endpoint` is set to."""
        return f"http://127.0.0.1:{self.port}"

    def of_request(self, request_id: str) -> list[SeenSpan]:
        """The spans of one request, its own first; none until that is there."""
        own = [span for span in self.spans if span.attributes.get("moongate.request_id") == request_id]
        return [*own, *(span for span in self.spans if own and span.parent_id == own[0].span_id)]

    def count(self, metric: str, **attributes: object) -> int:
        """How many values that metric has with (at least) these attributes; dots in names are written `__`."""
        wanted = {name.replace("__", "."): value for name, value in attributes.items()}
        found = (count for (name, has), count in self.counts.items() if name == metric and wanted.items() <= set(has))
        return sum(found)

    def take(self, path: str, body: bytes) -> None:
        """One export."""
        self.raw += body
        if path == "/v1/traces":
            self._take_spans(ExportTraceServiceRequest.FromString(body))
        elif path == "/v1/metrics":
            self._take_metrics(ExportMetricsServiceRequest.FromString(body))

    def _take_spans(self, request: ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            self.resources.append(_values(resource.resource.attributes))
            for span in (span for scope in resource.scope_spans for span in scope.spans):
                seen = SeenSpan(
                    name=span.name,
                    kind=span.kind,
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    began_ns=span.start_time_unix_nano,
                    ended_ns=span.end_time_unix_nano,
                    is_error=span.status.code == span.status.STATUS_CODE_ERROR,
                    attributes=_values(span.attributes),
                )
                self.spans.append(seen)

    def _take_metrics(self, request: ExportMetricsServiceRequest) -> None:
        scopes = (scope for resource in request.resource_metrics for scope in resource.scope_metrics)
        for metric in (metric for scope in scopes for metric in scope.metrics):
            for point in metric.histogram.data_points:
                key = (metric.name, tuple(sorted(_values(point.attributes).items())))
                self.counts[key] = point.count


def _values(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in _typed(pairs)}


def _typed(pairs: Any) -> Iterator[KeyValue]:
    yield from pairs


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return tuple(_value(each) for each in value.array_value.values)
    return getattr(value, kind) if kind else None


@contextmanager
def running_collector() -> Iterator[Collector]:
    """It listens until the end of the block."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if collector.status == 200:
                collector.take(self.path, body)
            else:
                collector.refused += 1
            self.send_response(collector.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        collector.port = server.server_address[1]
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()
