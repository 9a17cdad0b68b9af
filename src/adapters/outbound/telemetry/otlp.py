"""Traces and metrics for an OpenTelemetry collector. Imported only where there is one: its packages are an extra."""

import logging
from collections.abc import Callable, Sequence
from threading import Thread
from typing import Final

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from adapters.outbound.telemetry.backlog import Backlog
from adapters.outbound.telemetry.exporters import CountingMetricExporter, CountingSpanExporter
from adapters.outbound.telemetry.genai_metrics import GenAiMetrics
from adapters.outbound.telemetry.genai_spans import GenAiSpans, RequestIds
from adapters.outbound.telemetry.story import Story
from application.answered import Answered
from application.ports.clock import Clock
from application.ports.exchange_observer import ExchangeObserver
from domain.redaction import Redactor
from domain.routing.decision import DecisionTrace

_SCOPE: Final = "moongate"
_PROBED: Final = frozenset({"/health", "/ready", "/metrics"})
_SPANS_WAITING: Final = 2_048
_UNNAMED: Final = "unknown_service"


class OtlpTelemetry:
    """Tells a collector of each request: a span for it, one for each attempt, and their metrics.

    A request costs the loop what it takes to queue it. Spans are made in a thread, and sent by threads of the SDK. What
    does not fit in a queue, or the collector does not take, is dropped and counted.
    """

    def __init__(
        self,
        endpoint: str,
        version: str,
        gateway_id: str,
        redactor: Redactor,
        clock: Clock,
        known: Callable[[str], str],
    ) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._attributes = {"service.version": version, "service.instance.id": gateway_id}
        self._redactor = redactor
        self._clock = clock
        self._known = known
        self._backlog: Backlog[Story] = Backlog("traces", self._tell)
        # Nothing of it may exist before the fork: the SDK starts threads as it is made.
        self._pipeline: _Pipeline | None = None

    @property
    def dropped(self) -> int:
        """Requests that were not traced, and spans that were not taken."""
        lost = 0 if self._pipeline is None else self._pipeline.spans_lost
        return self._backlog.dropped + lost

    def ended(self, answered: Answered, trace: DecisionTrace | None) -> None:
        if answered.rule not in _PROBED:
            self._backlog.offer(Story(answered, trace, self._clock.now_us()))

    def start(self) -> None:
        """In the process that is to send."""
        # The SDK has a line for every failed attempt to send; ours are enough.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self._pipeline = _Pipeline(self._endpoint, _resource(self._attributes), self._redactor, self._known)
        self._backlog.start()

    def close(self, within_s: float) -> None:
        """Sends what is left, for at most twice that time. Blocks."""
        self._backlog.close(within_s)
        if self._pipeline is not None:
            self._pipeline.close(within_s)

    def _tell(self, stories: Sequence[Story]) -> None:
        if self._pipeline is not None:
            for story in stories:
                self._pipeline.tell(story)


class _Pipeline:
    """What is made in the process that sends."""

    def __init__(self, endpoint: str, resource: Resource, redactor: Redactor, known: Callable[[str], str]) -> None:
        ids = RequestIds()
        self._exporter = CountingSpanExporter(endpoint)
        self._tracers = TracerProvider(resource=resource, id_generator=ids, shutdown_on_exit=False)
        self._tracers.add_span_processor(BatchSpanProcessor(self._exporter, max_queue_size=_SPANS_WAITING))
        reader = PeriodicExportingMetricReader(CountingMetricExporter(endpoint))
        self._meters = MeterProvider([reader], resource, shutdown_on_exit=False)
        self._spans = GenAiSpans(self._tracers.get_tracer(_SCOPE), ids, redactor)
        self._metrics = GenAiMetrics(self._meters.get_meter(_SCOPE), known)
        self._made = 0
        self._unmade = 0

    @property
    def spans_lost(self) -> int:
        return self._unmade + self._exporter.refused

    def tell(self, story: Story) -> None:
        self._metrics.record(story)
        wanted = 1 + len(story.attempts)
        # The SDK would drop the oldest of its queue, and tell nobody how many.
        if self._made - self._exporter.handled + wanted > _SPANS_WAITING:
            self._unmade += wanted
        else:
            self._made += self._spans.write(story)

    def close(self, within_s: float) -> None:
        """The SDK waits for a collector that is away up to half a minute, whatever it is asked for."""
        ending = Thread(target=self._shut_down, name="traces-end", daemon=True)
        ending.start()
        ending.join(within_s)

    def _shut_down(self) -> None:
        self._tracers.shutdown()
        self._meters.shutdown()


def _resource(attributes: dict[str, str]) -> Resource:
    found = Resource.create(dict(attributes))
    named = str(found.attributes["service.name"])
    return found.merge(Resource({"service.name": _SCOPE})) if named.startswith(_UNNAMED) else found


_conforms: type[ExchangeObserver] = OtlpTelemetry
