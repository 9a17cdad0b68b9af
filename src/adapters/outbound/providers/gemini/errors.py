"""Google's errors (`google.rpc.Status`), beyond what their HTTP status says."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import httpx

from adapters.outbound.providers.failures import broken_reply, failure_of_reply
from adapters.outbound.providers.retry_after import go_duration_us
from domain.durations import SECOND_US
from domain.failure import Failure, FailureKind
from domain.redaction import Redactor

_BAD_REQUEST: Final = 400
_TOO_MANY_REQUESTS: Final = 429
_SERVER_ERROR: Final = 500
_STATUS: Final = range(_BAD_REQUEST, 600)
_MAX_RETRY_US: Final = 7 * 24 * 3_600 * SECOND_US
_OUR_CREDENTIAL: Final = "the provider refused the gateway's credential"
_OUR_PROJECT: Final = "the provider forbids this to the gateway's credential"
_TOO_LONG: Final = re.compile(
    r"token count[^.]{0,80}exceeds the maximum|exceeds? the (?:maximum )?(?:input )?token limit"
    r"|input token(?: count)? exceed",
    re.IGNORECASE,
)
# google.rpc.ErrorInfo's reasons, of the domain googleapis.com.
_BY_REASON: Final = {
    "API_KEY_INVALID": (FailureKind.CREDENTIAL_REFUSED, _OUR_CREDENTIAL),
    "API_KEY_EXPIRED": (FailureKind.CREDENTIAL_REFUSED, _OUR_CREDENTIAL),
    "API_KEY_SERVICE_BLOCKED": (FailureKind.CREDENTIAL_REFUSED, _OUR_CREDENTIAL),
    "API_KEY_HTTP_REFERRER_BLOCKED": (FailureKind.CREDENTIAL_REFUSED, _OUR_CREDENTIAL),
    "API_KEY_IP_ADDRESS_BLOCKED": (FailureKind.CREDENTIAL_REFUSED, _OUR_CREDENTIAL),
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": (FailureKind.CREDENTIAL_REFUSED, _OUR_CREDENTIAL),
    "CONSUMER_SUSPENDED": (FailureKind.CREDENTIAL_REFUSED, _OUR_CREDENTIAL),
    "SERVICE_DISABLED": (FailureKind.CREDENTIAL_REFUSED, _OUR_CREDENTIAL),
    "BILLING_DISABLED": (FailureKind.QUOTA_EXHAUSTED, "the gateway's account at the provider has no billing"),
}


@dataclass(frozen=True, slots=True)
class _Status:
    """What `google.rpc.Status` says beyond a code and a message."""

    name: str = ""
    reason: str = ""
    message: str = ""
    retry_us: int | None = None
    daily: bool = False


def gemini_failure(status: int, headers: httpx.Headers, body: bytes, redactor: Redactor) -> Failure:
    """The failure in a reply that is no success."""
    error = _error_in(body)
    # A stream that was not asked for as events is a list, and so is its error.
    failure = failure_of_reply(status, headers, _bytes_of(error) if error else body, redactor)
    if error is None or failure.kind is FailureKind.BROKEN_REPLY:
        return failure
    return _refined(failure, _read(error))


def failure_in_event(document: Mapping[str, Any], redactor: Redactor) -> Failure:
    """The failure that an event of a stream carries."""
    error = document.get("error")
    code = error.get("code") if isinstance(error, Mapping) else None
    status = code if type(code) is int and code in _STATUS else _SERVER_ERROR
    try:
        body = json.dumps(document, allow_nan=False).encode()
    except ValueError:
        return broken_reply("the provider's stream holds an error")
    return gemini_failure(status, httpx.Headers(), body, redactor)


def _refined(failure: Failure, status: _Status) -> Failure:
    if status.name and failure.code is None:
        failure = replace(failure, code=status.name)
    if failure.retry_after_us is None and status.retry_us is not None:
        failure = replace(failure, retry_after_us=status.retry_us)
    if failure.status is not None and failure.status >= _SERVER_ERROR:
        return failure
    if status.reason in _BY_REASON:
        kind, message = _BY_REASON[status.reason]
        return replace(failure, kind=kind, message=message, quotes=False)
    if failure.kind is FailureKind.RATE_LIMITED and status.daily:
        return replace(failure, kind=FailureKind.QUOTA_EXHAUSTED)
    if failure.kind is FailureKind.REQUEST_REFUSED:
        if status.name == "FAILED_PRECONDITION":  # where the gateway is, Google serves nobody
            return replace(failure, kind=FailureKind.FORBIDDEN, message=_OUR_PROJECT, quotes=False)
        if _TOO_LONG.search(status.message):
            return replace(failure, kind=FailureKind.CONTEXT_LENGTH)
    return failure


def _read(error: Mapping[str, Any]) -> _Status:
    reason, retry_us, daily = "", None, False
    for kind, detail in _details(error):
        match kind:
            case "ErrorInfo":
                reason = str(detail.get("reason", ""))
            case "RetryInfo":
                wait_us = go_duration_us(str(detail.get("retryDelay", "")))
                retry_us = wait_us if wait_us is not None and wait_us <= _MAX_RETRY_US else None
            case "QuotaFailure":
                daily = "PerDay" in json.dumps(detail)
            case _:
                pass
    return _Status(_word(error.get("status")), reason, str(error.get("message", "")), retry_us, daily)


def _details(error: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    details = error.get("details")
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, Mapping):
            yield str(detail.get("@type", "")).rpartition("google.rpc.")[2], detail


def _word(value: object) -> str:
    return value if isinstance(value, str) and re.fullmatch(r"[A-Z_]{1,64}", value) else ""


def _error_in(body: bytes) -> Mapping[str, Any] | None:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if isinstance(document, list) and document:
        document = document[0]
    error = document.get("error") if isinstance(document, Mapping) else None
    return error if isinstance(error, Mapping) else None


def _bytes_of(error: Mapping[str, Any]) -> bytes:
    return json.dumps({"error": error}).encode()
