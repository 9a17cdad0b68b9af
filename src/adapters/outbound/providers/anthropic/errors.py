"""What Anthropic's errors mean. Source: its API reference, "Errors"."""

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import httpx

from adapters.outbound.providers import failures
from domain.failure import Failure, FailureKind
from domain.redaction import Redactor

# An error inside a stream has no status but the one that its type has elsewhere.
_STATUS: Final = MappingProxyType(
    {
        "invalid_request_error": 400,
        "authentication_error": 401,
        "billing_error": 402,
        "permission_error": 403,
        "not_found_error": 404,
        "request_too_large": 413,
        "rate_limit_error": 429,
        "api_error": 500,
        "timeout_error": 504,
        "overloaded_error": 529,
    }
)
# Both come as an invalid request.
_EMPTY: Final = re.compile(r"credit balance is too low|reached your (?:\w+ ){0,3}usage limits?", re.IGNORECASE)
_TOO_LONG: Final = re.compile(r"exceed(?:s|ed)? (?:the )?context limit", re.IGNORECASE)


def failure_of_reply(status: int, headers: httpx.Headers, body: bytes, redactor: Redactor) -> Failure:
    """The failure in a reply that is no success."""
    return _refined(failures.failure_of_reply(status, headers, body, redactor))


def failure_of_event(told: Mapping[str, object], redactor: Redactor) -> Failure:
    """The failure in an `error` event."""
    error = told.get("error")
    if not isinstance(error, Mapping):
        return failures.broken_reply("the provider's stream holds an error that says nothing")
    kind = error.get("type")
    status = _STATUS.get(kind, 500) if isinstance(kind, str) else 500
    failure = failures.failure_inside_success({"error": {**error, "status": status}}, redactor)
    return _refined(failure or failures.broken_reply("the provider's stream holds an error that says nothing"))


def _refined(failure: Failure) -> Failure:
    if failure.kind is not FailureKind.REQUEST_REFUSED:
        return failure
    if _EMPTY.search(failure.message):
        return replace(failure, kind=FailureKind.QUOTA_EXHAUSTED)
    return replace(failure, kind=FailureKind.CONTEXT_LENGTH) if _TOO_LONG.search(failure.message) else failure
