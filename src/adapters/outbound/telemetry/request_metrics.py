import re
from collections.abc import Mapping
from itertools import pairwise

from adapters.outbound.telemetry import request_metrics_declared as declared
from adapters.outbound.telemetry.known_names import KnownNames
from adapters.outbound.telemetry.metric_page import MetricPage
from application import errors
from application.ports.catalog_source import CatalogSource
from application.ports.request_observer import RequestObserver
from domain.routing.decision import AttemptTrace, DecisionTrace

_US_PER_SECOND = 1_000_000
_NANO_PER_DOLLAR = 1_000_000_000


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _outcomes() -> Mapping[str, str]:
    """How each end of a request is called here. What a request ended with and is not among them was a defect."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    named = {kind.__name__: _snake(kind.__name__) for kind in kinds if issubclass(kind, errors.GatewayError)}
    return named | {word: word for word in ("success", "cancelled", "stream_broken")}


OUTCOMES = _outcomes()
_REFUSALS = {
    errors.RateLimited.__name__: declared.RATE_LIMITED,
    errors.BudgetExceeded.__name__: declared.OVER_BUDGET,
}


class RequestMetrics:
    """Counts what became of each request and of its attempts."""

    def __init__(self, page: MetricPage, catalog_source: CatalogSource) -> None:
        self._page = page
        self._known = KnownNames(catalog_source)

    def finished(self, trace: DecisionTrace) -> None:
        page, endpoint, ended_as = self._page, trace.endpoint, trace.outcome or ""
        model = self._known(trace.requested_model)
        page.add(declared.REQUESTS, (endpoint, model, OUTCOMES.get(ended_as, "error")))
        attempts_us = 0
        for attempt in trace.attempts:
            attempts_us += self._attempted(attempt)
        span_us = (trace.finished_us or trace.started_us) - trace.started_us
        stream = "true" if trace.stream else "false"
        page.observe(declared.REQUEST_DURATION, (endpoint, model, stream), span_us / _US_PER_SECOND)
        page.observe(declared.GATEWAY_OVERHEAD, (endpoint,), max(0, span_us - attempts_us) / _US_PER_SECOND)
        if trace.stream and trace.attempts:
            self._first_token(trace, model)
        if ended_as in _REFUSALS:
            page.add(_REFUSALS[ended_as], (model,))
        if trace.cache is not None:
            page.add(declared.CACHE, (model, trace.cache))
        self._detours(trace, model)

    def _attempted(self, attempt: AttemptTrace) -> int:
        page, model, instance = self._page, attempt.model, attempt.instance_id
        span_us = attempt.duration_us or 0
        page.add(declared.ATTEMPTS, (model, instance, attempt.outcome or "cancelled"))
        page.observe(declared.ATTEMPT_DURATION, (model, instance), span_us / _US_PER_SECOND)
        usage = attempt.usage
        if usage is not None:
            page.add(declared.TOKENS, (model, "input"), usage.input_tokens)
            page.add(declared.TOKENS, (model, "output"), usage.output_tokens)
            if usage.cached_input_tokens:
                page.add(declared.TOKENS, (model, "cached_input"), usage.cached_input_tokens)
        if attempt.cost_nano:
            page.add(declared.COST, (model,), attempt.cost_nano / _NANO_PER_DOLLAR)
        return span_us

    def _first_token(self, trace: DecisionTrace, model: str) -> None:
        last = trace.attempts[-1]
        if last.first_content_us is not None:
            waited_us = last.started_us - trace.started_us + last.first_content_us
            self._page.observe(declared.TIME_TO_FIRST_TOKEN, (model,), max(0, waited_us) / _US_PER_SECOND)

    def _detours(self, trace: DecisionTrace, model: str) -> None:
        """What most requests have none of."""
        page, attempts = self._page, trace.attempts
        if len(attempts) > 1:
            for before, after in pairwise(attempts):
                again = after.instance_id == before.instance_id
                page.add(declared.RETRIES if again else declared.FAILOVERS, (model,))
        if len(trace.models_visited) > 1:
            page.add(declared.FALLBACKS, (model,), len(trace.models_visited) - 1)
        for refusal in trace.exclusions:
            page.add(declared.EXCLUSIONS, (refusal.instance_id, refusal.reason.value))
        for what in trace.degraded:
            page.add(declared.DEGRADED, (what,))


_conforms: type[RequestObserver] = RequestMetrics
