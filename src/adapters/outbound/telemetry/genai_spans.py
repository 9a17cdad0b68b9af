from collections.abc import Iterator
from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from adapters.outbound.telemetry.access_fields import error_of, place_of, refused_limits
from adapters.outbound.telemetry.story import NS_PER_US, Story, failure_of, provider_name
from domain.identifiers import RequestId
from domain.money import format_dollars
from domain.redaction import Redactor
from domain.routing.decision import AttemptTrace, DecisionTrace

_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


class RequestIds(RandomIdGenerator):
    """Ids of spans. A trace that begins here has the request's own id, so that one is found by the other."""

    def __init__(self) -> None:
        self.request_id: RequestId | None = None

    def generate_trace_id(self) -> int:
        """The request's id: all but 66 bits of it are random."""
        if self.request_id is None:
            return super().generate_trace_id()
        return int(self.request_id.replace("-", ""), 16)


class GenAiSpans:
    """Makes the spans of requests that have ended: one for the request, below it one for each attempt.

    Nothing that was asked or answered is in them, nor what a provider said of an error: it may quote the prompt.
    """

    def __init__(self, tracer: Tracer, ids: RequestIds, redactor: Redactor) -> None:
        self._tracer = tracer
        self._ids = ids
        self._redactor = redactor
        self._w3c = TraceContextTextMapPropagator()

    def write(self, story: Story) -> int:
        """Makes them; how many are on their way then. None are where the client's trace is not sampled."""
        server = self._request(story)
        if not server.is_recording():
            return 0
        below = set_span_in_context(server, Context())
        for attempt in story.attempts:
            self._attempt(story, attempt, below)
        server.end(story.ended_us * NS_PER_US)
        return 1 + len(story.attempts)

    def _request(self, story: Story) -> Span:
        answered = story.answered
        parent = Context()
        if answered.traceparent is not None:
            parent = self._w3c.extract({"traceparent": answered.traceparent}, parent)
        method = answered.method if answered.method in _METHODS else "_OTHER"
        self._ids.request_id = answered.request_id
        span = self._tracer.start_span(
            method if answered.rule is None else f"{method} {answered.rule}",
            parent,
            SpanKind.SERVER,
            dict(self._of_request(story, method)),
            start_time=story.began_us * NS_PER_US,
        )
        if story.error_type is not None:
            span.set_attribute("error.type", story.error_type)
            span.set_status(Status(StatusCode.ERROR))
        return span

    def _of_request(self, story: Story, method: str) -> Iterator[tuple[str, AttributeValue]]:
        answered = story.answered
        yield "http.request.method", method
        if answered.rule is None:
            yield "url.path", place_of(answered, self._redactor)
        else:
            yield "http.route", answered.rule
        if answered.status is not None:
            yield "http.response.status_code", answered.status
        yield "http.request.body.size", answered.received_bytes
        yield "http.response.body.size", answered.sent_bytes
        yield "moongate.request_id", answered.request_id
        if answered.client_request_id is not None:
            yield "moongate.client_request_id", answered.client_request_id
        if answered.caller is not None:
            yield "moongate.caller", answered.caller.name
            yield "moongate.account", answered.caller.account
        if (code := error_of(answered, story.trace)) is not None:
            yield "moongate.error_code", code
        if not answered.is_whole:
            yield "moongate.client_gone", True
        if story.trace is not None:
            yield from _of_story(story.trace, story.operation or "")

    def _attempt(self, story: Story, attempt: AttemptTrace, below: Context) -> None:
        trace = story.trace
        began_us, ended_us = story.span_of(attempt)
        failure = failure_of(attempt)
        attributes = dict(_of_attempt(attempt, stream=trace is not None and trace.stream))
        attributes["gen_ai.operation.name"] = story.operation or ""
        if failure is not None:
            attributes["error.type"] = failure
        span = self._tracer.start_span(
            f"{story.operation} {attempt.model}",
            below,
            SpanKind.CLIENT,
            attributes,
            start_time=began_us * NS_PER_US,
        )
        if failure is not None and failure != "cancelled":
            span.set_status(Status(StatusCode.ERROR))
        span.end(ended_us * NS_PER_US)


def _of_story(trace: DecisionTrace, operation: str) -> Iterator[tuple[str, AttributeValue]]:
    yield "gen_ai.operation.name", operation
    yield "gen_ai.request.model", trace.requested_model
    yield "gen_ai.request.stream", trace.stream
    yield "moongate.attempts", len(trace.attempts)
    if trace.route is not None:
        yield "moongate.route", trace.route
    if trace.cache is not None:
        yield "moongate.cache", trace.cache
    if trace.cost_nano is not None:
        yield "moongate.cost_usd", format_dollars(trace.cost_nano)
    if trace.degraded:
        yield "moongate.degraded", trace.degraded
    if len(trace.models_visited) > 1:
        yield "moongate.fallbacks", tuple(trace.models_visited)
    if refused := refused_limits(trace):
        yield "moongate.limits_refused", refused


def _of_attempt(attempt: AttemptTrace, *, stream: bool) -> Iterator[tuple[str, AttributeValue]]:
    yield "gen_ai.provider.name", provider_name(attempt)
    yield "gen_ai.request.model", attempt.model
    yield "gen_ai.request.stream", stream
    yield "moongate.instance", attempt.instance_id
    yield "moongate.attempt", attempt.number
    if attempt.probe:
        yield "moongate.probe", True
    if attempt.status is not None:
        yield "http.response.status_code", attempt.status
    if attempt.first_content_us is not None:
        yield "gen_ai.response.time_to_first_chunk", attempt.first_content_us / 1_000_000
    if attempt.usage is not None:
        yield "gen_ai.usage.input_tokens", attempt.usage.input_tokens
        yield "gen_ai.usage.output_tokens", attempt.usage.output_tokens
        if attempt.usage.cached_input_tokens:
            yield "gen_ai.usage.cache_read.input_tokens", attempt.usage.cached_input_tokens
