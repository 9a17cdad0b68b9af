"""What Cohere's errors mean.

Source: Cohere's API reference, "Errors": `{"message": …}`, whose words alone tell one 400 from another.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import httpx

from adapters.outbound.providers import failures
from domain.failure import Failure, FailureKind, ProviderFailed
from domain.redaction import Redactor

# "max tokens must be less than …" is about the answer's maximum, which another model may allow.
_PROMPT_TOO_LONG: Final = re.compile(r"too many tokens: (?!max tokens)", re.IGNORECASE)
_MONTHLY: Final = re.compile(r"calls\s*/\s*month", re.IGNORECASE)
_TOXIC: Final = "ERROR_TOXIC"


def failure_of_reply(status: int, headers: httpx.Headers, body: bytes, redactor: Redactor) -> Failure:
    """The failure in a reply that is no success."""
    failure = failures.failure_of_reply(status, headers, body, redactor)
    if failure.kind is FailureKind.REQUEST_REFUSED and _PROMPT_TOO_LONG.search(failure.message):
        return replace(failure, kind=FailureKind.CONTEXT_LENGTH)
    if failure.kind is FailureKind.RATE_LIMITED and _MONTHLY.search(failure.message):
        return replace(failure, kind=FailureKind.QUOTA_EXHAUSTED)
    return failure


def check_finish(reason: object, error: object, redactor: Redactor) -> None:
    """Raises ProviderFailed where an answer ended because something went wrong."""
    if reason == "TIMEOUT":
        raise ProviderFailed(Failure(FailureKind.TIMEOUT, "the provider gave the answer up: timeout", ambiguous=True))
    if isinstance(reason, str) and reason.startswith("ERROR") and reason != _TOXIC:
        told = redactor.clean(error) if isinstance(error, str) else ""
        message = told or "the provider reported an error without saying why"
        raise ProviderFailed(Failure(FailureKind.SERVER_ERROR, message, ambiguous=True, quotes=bool(told)))


def check_event(event: Mapping[str, object], redactor: Redactor) -> None:
    """Raises ProviderFailed where an event is an error and no part of an answer."""
    if "type" not in event and isinstance(message := event.get("message"), str):
        told = redactor.clean(message)
        raise ProviderFailed(Failure(FailureKind.SERVER_ERROR, told, ambiguous=True, quotes=True))
