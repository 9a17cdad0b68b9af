"""What the gateway tells about a request in the headers of its answer."""

from datetime import UTC, datetime
from urllib.parse import quote

from adapters.inbound.http.limit_headers import limit_headers
from application.gateway_request import Completed, Streaming
from domain.durations import SECOND_US
from domain.money import format_dollars
from domain.routing.decision import DecisionTrace

Header = tuple[str, str]

_TO_SECONDS = len("2026-01-01T00:00:00")
_FREE = ("x-moongate-cost", format_dollars(0))
_PRINTABLE = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")


def header_value(text: str) -> str:
    """`text` where it is printable ASCII, else percent-escaped: no name can end a header line or fail to encode."""
    if text.isascii() and text.isprintable():
        return text
    return quote(text, safe=_PRINTABLE, errors="replace")


def trace_headers(trace: DecisionTrace) -> list[Header]:
    """Attempts made, the models gone through where there was more than one, what was decided without its store.

    And how the caller stands: soft budgets that are nearly spent, and its limits.
    """
    headers = [("x-moongate-attempts", str(len(trace.attempts)))]
    if len(trace.models_visited) > 1:
        headers.append(("x-moongate-fallbacks", header_value(">".join(trace.models_visited))))
    if trace.degraded:
        headers.append(("x-moongate-degraded", ",".join(trace.degraded)))
    if trace.budgets:
        headers.append(("x-moongate-budget-alert", header_value(", ".join(trace.budgets))))
    return headers + limit_headers(trace.limits) if trace.limits else headers


def cache_headers(trace: DecisionTrace) -> list[Header]:
    """How the request met the cache; of a stored reply, since when it has been there."""
    headers = [] if trace.cache is None else [("x-cache", trace.cache.upper())]
    if trace.stored_us is not None:
        headers.append(("x-cache-time", _instant(trace.stored_us)))
        headers.append(("age", str(max(0, trace.started_us - trace.stored_us) // SECOND_US)))
    if trace.replayed:
        headers.append(("idempotency-replayed", "true"))
    return headers


def served_headers(served: Completed | Streaming) -> list[Header]:
    """Who served the request and how it came to that; the cost where it is known already."""
    headers = [*cache_headers(served.trace), *trace_headers(served.trace)]
    if served.instance is not None:
        headers.append(("x-moongate-instance", header_value(served.instance.id)))
        headers.append(("x-moongate-model", header_value(served.instance.model_name)))
    elif isinstance(served, Streaming):
        headers.append(_FREE)  # No provider is asked, so nothing is left to be found out at its end.
    if isinstance(served, Completed):
        headers.append(("x-moongate-cost", format_dollars(served.cost_nano)))
    return headers


def _instant(at_us: int) -> str:
    return datetime.fromtimestamp(at_us // SECOND_US, UTC).isoformat()[:_TO_SECONDS] + "Z"
