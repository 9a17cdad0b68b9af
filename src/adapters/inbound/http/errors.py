"""How each error looks on the wire: one table, one shape.

Messages come from whoever raised; this module adds status, type, code and the headers that say when to come back.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType

from adapters.inbound.http.limit_headers import limit_headers
from adapters.inbound.http.response_headers import Header, trace_headers
from application import errors
from domain.durations import SECOND_US, ceil_seconds
from domain.failure import FailureKind

# A 401, 403 or 407 of the provider's would read as if the client's own credential were wrong.
_PASSED_ON = frozenset(range(400, 500)) - {401, 403, 407}
_DEFAULT_RETRY_AFTER_US = SECOND_US


class InvalidJson(errors.GatewayError):
    """The body is no JSON object, repeats a key, is nested too deeply, or holds NaN or an infinity."""


class BadFraming(errors.GatewayError):
    """Where the body ends is ambiguous: nothing after it may be read as a request."""


class HeadersTooLarge(errors.GatewayError):
    """Request line and headers are larger than the limit."""


class RequestTooLarge(errors.GatewayError):
    """The body is larger than the limit."""


class BodyTooSlow(errors.GatewayError):
    """The body did not arrive in time."""


class NotFound(errors.GatewayError):
    """No such path, or no such thing behind it."""


class MethodNotAllowed(errors.GatewayError):
    """The path exists and does not take this method. `allowed` are the methods it takes."""

    def __init__(self, message: str, *, allowed: Iterable[str]) -> None:
        super().__init__(message)
        self.allowed = tuple(sorted(allowed))


class ShuttingDown(errors.GatewayError):
    """The process ends before it could answer."""

    def __init__(self) -> None:
        super().__init__("This gateway is shutting down: send the request again.")


class InternalError(errors.GatewayError):
    """A defect of the gateway. The client learns nothing of it but the request id."""

    def __init__(self) -> None:
        super().__init__("The gateway failed to handle this request. The log has it under this request's x-request-id.")


@dataclass(frozen=True, slots=True)
class Row:
    """What every error of one class has in common."""

    status: int
    type: str
    code: str


_CLIENT = "invalid_request_error"
_QUOTA = "insufficient_quota"
_RATE = "rate_limit_error"
_SERVER = "server_error"
_UPSTREAM = "upstream_error"

TABLE = MappingProxyType(
    {
        InvalidJson: Row(400, _CLIENT, "invalid_json"),
        BadFraming: Row(400, _CLIENT, "invalid_request"),
        errors.InvalidRequest: Row(400, _CLIENT, "invalid_request"),
        errors.RequestExceedsLimit: Row(400, _CLIENT, "request_exceeds_limit"),
        errors.UnsupportedOperation: Row(400, _CLIENT, "unsupported_operation"),
        errors.NotAuthenticated: Row(401, _CLIENT, "invalid_api_key"),
        errors.NotPermitted: Row(403, _CLIENT, "forbidden"),
        errors.ModelNotAllowed: Row(403, _CLIENT, "model_not_allowed"),
        errors.UnpricedModel: Row(403, _CLIENT, "unpriced_model"),
        errors.ModelNotFound: Row(404, _CLIENT, "model_not_found"),
        NotFound: Row(404, _CLIENT, "not_found"),
        errors.InstanceNotFound: Row(404, _CLIENT, "instance_not_found"),
        errors.ItemNotFound: Row(404, _CLIENT, "not_found"),
        MethodNotAllowed: Row(405, _CLIENT, "method_not_allowed"),
        errors.AlreadyExists: Row(409, _CLIENT, "already_exists"),
        errors.Conflict: Row(409, _CLIENT, "conflict"),
        errors.InUse: Row(409, _CLIENT, "in_use"),
        errors.IdempotencyInUse: Row(409, _CLIENT, "idempotency_key_in_use"),
        BodyTooSlow: Row(408, _CLIENT, "request_timeout"),
        RequestTooLarge: Row(413, _CLIENT, "request_too_large"),
        errors.IdempotencyMismatch: Row(422, _CLIENT, "idempotency_key_reused"),
        errors.UpstreamRefused: Row(400, _CLIENT, "invalid_request"),
        errors.UpstreamRateLimited: Row(429, _RATE, "rate_limit_exceeded"),
        errors.RateLimited: Row(429, _RATE, "rate_limit_exceeded"),
        errors.BudgetExceeded: Row(429, _QUOTA, "insufficient_quota"),
        HeadersTooLarge: Row(431, _CLIENT, "headers_too_large"),
        InternalError: Row(500, _SERVER, "internal_error"),
        ShuttingDown: Row(503, _SERVER, "shutting_down"),
        errors.StreamBroken: Row(502, _UPSTREAM, "upstream_error"),
        errors.UpstreamFailed: Row(502, _UPSTREAM, "upstream_error"),
        errors.NoInstanceAvailable: Row(503, _SERVER, "no_available_instance"),
        errors.StateUnavailable: Row(503, _SERVER, "state_unavailable"),
        errors.CacheMiss: Row(504, _CLIENT, "cache_miss"),
        errors.DeadlineExceeded: Row(504, _UPSTREAM, "upstream_timeout"),
    }
)


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """An error as it goes out. `headers` holds no framing: content-length is the sender's. `code` is for the log."""

    status: int
    headers: tuple[Header, ...]
    body: bytes
    code: str


def error_row(error: errors.GatewayError) -> Row:
    """The table's row for the error's class, or for the nearest class above it."""
    for ancestor in type(error).__mro__:
        row = TABLE.get(ancestor)
        if row is not None:
            return row
    return TABLE[InternalError]


def error_document(error: errors.GatewayError) -> bytes:
    """The JSON body, in OpenAI's shape; also the payload of a stream's last event."""
    kind, code = error_row(error).type, error_code(error)
    if isinstance(error, errors.UpstreamRefused):
        kind, code = error.failure.type or kind, error.failure.code or code
    document = {"message": error.message, "type": kind, "param": error.param, "code": code}
    return json.dumps({"error": document}, separators=(",", ":")).encode()


def error_code(error: errors.GatewayError) -> str:
    """What went wrong, for programs: of what a provider refused, its own code where that is a word."""
    code = error_row(error).code
    if not isinstance(error, errors.UpstreamRefused):
        return code
    failure = error.failure
    return failure.word or (code if failure.kind is FailureKind.REQUEST_REFUSED else failure.kind.value)


def error_answer(error: errors.GatewayError) -> ErrorAnswer:
    """Status, headers and body for `error`."""
    status = _status(error)
    headers = [("content-type", "application/json"), *_special_headers(error), *_retry_headers(error, status)]
    if error.trace is not None:
        headers += trace_headers(error.trace)
    elif error.limits:
        headers += limit_headers(error.limits)
    return ErrorAnswer(status, tuple(headers), error_document(error), error_code(error))


def _status(error: errors.GatewayError) -> int:
    status = error_row(error).status
    if isinstance(error, errors.UpstreamRefused):
        told = error.failure.status
        return told if told is not None and told in _PASSED_ON else status
    return status


def _special_headers(error: errors.GatewayError) -> tuple[Header, ...]:
    match error:
        case errors.NotAuthenticated():
            return (("www-authenticate", "Bearer"),)
        case errors.BudgetExceeded():
            # Every SDK asks again after a 429, and again, unless it is told that waiting won't help.
            return (("x-should-retry", "false"),)
        case MethodNotAllowed():
            return (("allow", ", ".join(error.allowed)),)
        case _:
            return ()


def _retry_headers(error: errors.GatewayError, status: int) -> tuple[Header, ...]:
    if status not in {429, 503} or isinstance(error, errors.BudgetExceeded):
        return ()
    match error:
        case errors.NoInstanceAvailable() | errors.RateLimited():
            span_us: int | None = error.retry_after_us
        case errors.UpstreamError():
            span_us = error.failure.retry_after_us
        case _:
            span_us = None
    span_us = max(0, _DEFAULT_RETRY_AFTER_US if span_us is None else span_us)
    milliseconds = max(1, -(-span_us // 1_000))
    return ("retry-after", str(max(1, ceil_seconds(span_us)))), ("retry-after-ms", str(milliseconds))
