"""One request as the log tells it."""

from collections.abc import Mapping
from typing import Final

from application.answered import Answered
from domain.chat import Usage
from domain.money import format_dollars
from domain.redaction import Redactor
from domain.routing.decision import AttemptTrace, DecisionTrace

_PATH_CHARACTERS: Final = 200
_METHOD_CHARACTERS: Final = 16
_CODE_CHARACTERS: Final = 100
_US_PER_MS: Final = 1_000
_STREAM_BROKEN: Final = "stream_broken"


def access_fields(answered: Answered, trace: DecisionTrace | None, redactor: Redactor) -> dict[str, object]:
    """All that is known; what is not, or is nothing, is left out."""
    place = place_of(answered, redactor)
    fields = _of_answered(answered, place)
    if trace is not None:
        fields |= _of_trace(trace)
    if (code := error_of(answered, trace)) is not None:
        fields["error"] = code
    if not answered.is_whole:
        fields["client_gone"] = True
    return {name: value for name, value in fields.items() if value not in _NOTHING}


_NOTHING: Final[tuple[object, ...]] = (None, "", [], ())


def _of_answered(answered: Answered, place: str) -> dict[str, object]:
    caller, parent = answered.caller, answered.traceparent
    method = _printable(answered.method[:_METHOD_CHARACTERS])
    return {
        "message": f"{method} {place} {answered.status or '-'}",
        "request_id": answered.request_id,
        "client_request_id": answered.client_request_id,
        "trace_id": None if parent is None else parent.split("-")[1],
        "method": method,
        "rule" if answered.rule is not None else "path": place,
        "status": answered.status,
        "duration_ms": answered.duration_us / _US_PER_MS,
        "bytes": answered.sent_bytes,
        "caller": None if caller is None else caller.name,
        "account": None if caller is None else caller.account,
    }


def _of_trace(trace: DecisionTrace) -> dict[str, object]:
    last = trace.attempts[-1] if trace.attempts else None
    return {
        "account": trace.account,
        "model": trace.requested_model,
        "route": trace.route,
        "instance": None if last is None else last.instance_id,
        "provider": None if last is None else last.provider,
        "attempts": [_attempt(attempt) for attempt in trace.attempts],
        "fallbacks": ">".join(trace.models_visited) if len(trace.models_visited) > 1 else None,
        "stream": trace.stream,
        "ttft_ms": _ms(ttft_us(trace)),
        "tokens": _tokens(trace.usage),
        "cost_usd": None if trace.cost_nano is None else format_dollars(trace.cost_nano),
        "cache": trace.cache,
        "degraded": list(trace.degraded),
        "limits_refused": refused_limits(trace),
        "outcome": trace.outcome,
    }


def _attempt(attempt: AttemptTrace) -> Mapping[str, object]:
    shown: dict[str, object] = {"instance": attempt.instance_id, "outcome": attempt.outcome}
    if attempt.status is not None:
        shown["status"] = attempt.status
    if attempt.duration_us is not None:
        shown["duration_ms"] = _ms(attempt.duration_us)
    return shown


def _tokens(usage: Usage | None) -> Mapping[str, object] | None:
    if usage is None:
        return None
    shown: dict[str, object] = {"input": usage.input_tokens, "output": usage.output_tokens}
    if usage.cached_input_tokens:
        shown["cached_input"] = usage.cached_input_tokens
    if usage.estimated:
        shown["estimated"] = True
    return shown


def ttft_us(trace: DecisionTrace) -> int | None:
    """From the request's arrival to the first content of its stream, failed attempts before it included."""
    last = trace.attempts[-1] if trace.attempts else None
    if last is None or last.first_content_us is None:
        return None
    return last.started_us - trace.started_us + last.first_content_us


def _ms(span_us: int | None) -> float | None:
    return None if span_us is None else span_us / _US_PER_MS


def refused_limits(trace: DecisionTrace) -> list[str]:
    """Names of the caller's limits that refused it."""
    return [standing.limit.name for standing in trace.limits if not standing.decision.allowed]


def place_of(answered: Answered, redactor: Redactor) -> str:
    """The rule; else the path, which is whatever a stranger sent: cleaned, and cut."""
    if answered.rule is not None:
        return answered.rule
    return _printable(redactor.redact(answered.path)[:_PATH_CHARACTERS])


def error_of(answered: Answered, trace: DecisionTrace | None) -> str | None:
    """The code of the error that the client was told, in the answer or as its stream's last event."""
    if answered.error_code is not None:
        return _printable(answered.error_code[:_CODE_CHARACTERS])
    return "upstream_error" if trace is not None and trace.outcome == _STREAM_BROKEN else None


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(each if each.isprintable() else "?" for each in text)
