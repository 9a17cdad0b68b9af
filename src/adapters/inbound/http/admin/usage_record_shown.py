"""A usage record as clients see it."""

from collections.abc import Sequence

from adapters.inbound.http.admin.schema import Schema
from adapters.inbound.http.admin.wire import DollarsOut, TimeOut
from domain.usage_record import UsageOutcome, UsageRecord


class UsageRecordShown(Schema):
    """What one attempt used and cost. `model` is what was asked for, `model_used` what the provider was asked for.

    `attempt` is 0 where nobody was asked: the answer was in the cache.
    """

    request_id: str
    attempt: int
    at: TimeOut
    outcome: UsageOutcome
    status: int | None
    model: str
    route: str | None
    model_used: str | None
    instance: str | None
    provider: str | None
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    estimated: bool
    cost_usd: DollarsOut
    latency_ms: float | None
    ttft_ms: float | None
    key_id: str | None
    user_id: str | None
    team_id: str | None
    tags: Sequence[str]
    stream: bool
    cache_hit: bool
    error_code: str | None
    method: str
    path: str
    client_request_id: str | None


def shown_record(record: UsageRecord) -> UsageRecordShown:
    """The record with the names of the wire."""
    return UsageRecordShown(
        request_id=record.request_id,
        attempt=record.attempt,
        at=record.at_us,
        outcome=record.outcome,
        status=record.status,
        model=record.model_asked,
        route=record.route,
        model_used=record.model_used,
        instance=record.instance_id,
        provider=record.provider,
        input_tokens=record.input_tokens,
        output_tokens=record.output_tokens,
        cached_input_tokens=record.cached_input_tokens,
        estimated=record.estimated,
        cost_usd=record.cost_nano,
        latency_ms=_ms(record.latency_us),
        ttft_ms=_ms(record.ttft_us),
        key_id=record.key_id,
        user_id=record.user_id,
        team_id=record.team_id,
        tags=record.tags,
        stream=record.stream,
        cache_hit=record.cache_hit,
        error_code=record.error_code,
        method=record.method,
        path=record.path,
        client_request_id=record.client_request_id,
    )


def _ms(span_us: int | None) -> float | None:
    return None if span_us is None else span_us / 1_000
