from collections.abc import Callable
from typing import Final

from opentelemetry.metrics import Histogram, Meter

from adapters.outbound.telemetry.story import Story, failure_of, provider_name
from domain.durations import SECOND_US
from domain.routing.decision import AttemptTrace

# All buckets are those that the conventions ask for.
_OPERATION_S: Final = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_FIRST_TOKEN_S: Final = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_HTTP_S: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
_TOKENS: Final = tuple(4**exponent for exponent in range(14))

_Attributes = dict[str, str | int]


class GenAiMetrics:
    """Records what requests and attempts took. Only configured names become attributes, so that series stay few."""

    def __init__(self, meter: Meter, known: Callable[[str], str]) -> None:
        self._known = known

        def seconds(name: str, said: str, buckets: tuple[float, ...]) -> Histogram:
            return meter.create_histogram(name, "s", said, explicit_bucket_boundaries_advisory=buckets)

        self._attempts = seconds("gen_ai.client.operation.duration", "Calls to providers", _OPERATION_S)
        self._requests = seconds("gen_ai.server.request.duration", "Requests to models", _OPERATION_S)
        self._first_tokens = seconds("gen_ai.server.time_to_first_token", "Streams to first content", _FIRST_TOKEN_S)
        self._http = seconds("http.server.request.duration", "HTTP requests", _HTTP_S)
        self._tokens = meter.create_histogram(
            "gen_ai.client.token.usage", "{token}", "Tokens of calls", explicit_bucket_boundaries_advisory=_TOKENS
        )

    def record(self, story: Story) -> None:
        """All of one request."""
        answered = story.answered
        if answered.rule is not None and answered.status is not None:
            place: _Attributes = {
                "http.request.method": answered.method,
                "http.route": answered.rule,
                "http.response.status_code": answered.status,
            }
            self._http.record(answered.duration_us / SECOND_US, _with_error(place, story.error_type))
        if story.trace is None or story.operation is None:
            return
        request: _Attributes = {
            "gen_ai.operation.name": story.operation,
            "gen_ai.provider.name": story.provider,
            "gen_ai.request.model": self._known(story.trace.requested_model),
        }
        self._requests.record(answered.duration_us / SECOND_US, _with_error(dict(request), story.error_type))
        if story.ttft_us is not None and story.error_type is None:
            self._first_tokens.record(story.ttft_us / SECOND_US, request)
        for attempt in story.attempts:
            self._record_attempt(story, attempt, story.operation)

    def _record_attempt(self, story: Story, attempt: AttemptTrace, operation: str) -> None:
        call: _Attributes = {
            "gen_ai.operation.name": operation,
            "gen_ai.provider.name": provider_name(attempt),
            "gen_ai.request.model": attempt.model,
        }
        began_us, ended_us = story.span_of(attempt)
        self._attempts.record((ended_us - began_us) / SECOND_US, _with_error(dict(call), failure_of(attempt)))
        if attempt.usage is not None:
            self._tokens.record(attempt.usage.input_tokens, {**call, "gen_ai.token.type": "input"})
            self._tokens.record(attempt.usage.output_tokens, {**call, "gen_ai.token.type": "output"})


def _with_error(attributes: _Attributes, error_type: str | None) -> _Attributes:
    if error_type is not None:
        attributes["error.type"] = error_type
    return attributes
