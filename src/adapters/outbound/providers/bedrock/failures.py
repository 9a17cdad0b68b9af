"""What Bedrock's errors mean. Each has a name; statuses are ambiguous (expired keys and forbidden models are both 403).

Sources: the service model (exceptions of Converse, ConverseStream and InvokeModel), AWS's common errors.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import httpx

from adapters.outbound.providers import failures
from domain.failure import Failure, FailureKind
from domain.redaction import Redactor

# The status whose meaning each has.
_MEANS: Final = MappingProxyType(
    {
        "ThrottlingException": 429,
        "TooManyRequestsException": 429,
        "ModelNotReadyException": 429,
        "ServiceQuotaExceededException": 402,
        "AccessDeniedException": 403,
        "ExpiredToken": 401,
        "ExpiredTokenException": 401,
        "IncompleteSignature": 401,
        "IncompleteSignatureException": 401,
        "InvalidClientTokenId": 401,
        "InvalidSignatureException": 401,
        "MissingAuthenticationToken": 401,
        "MissingAuthenticationTokenException": 401,
        "SignatureDoesNotMatch": 401,
        "UnrecognizedClientException": 401,
        "ValidationException": 400,
        "ResourceNotFoundException": 404,
        "ModelTimeoutException": 408,
        "ModelErrorException": 500,
        "ModelStreamErrorException": 500,
        "InternalServerException": 500,
        "InternalFailure": 500,
        "ServiceUnavailableException": 503,
    }
)
_BAD_KEY: Final = re.compile(r"api key|authentication failed|bearer token", re.IGNORECASE)
_DAILY: Final = re.compile(r"\bper day\b|\bdaily\b", re.IGNORECASE)
_TOO_LONG: Final = re.compile(
    r"input is too long|too many (?:input )?tokens|maximum (?:number of )?(?:input )?tokens|max input tokens"
    r"|exceeds the (?:model'?s? )?(?:maximum|max) (?:input|context)|prompt is too long",
    re.IGNORECASE,
)


def failure_of_reply(status: int, headers: httpx.Headers, body: bytes, redactor: Redactor) -> Failure:
    """The failure in a reply that is no success."""
    document = _document(body)
    named = headers.get("x-amzn-errortype") or str(document.get("__type") or document.get("code") or "")
    # `ThrottlingException:http://…` and `com.amazon.coral.service#ThrottlingException` are found, too.
    name = named.partition(":")[0].rpartition("#")[2]
    return replace(_failure(name, status, headers, document, redactor), status=status)


def failure_in_stream(name: str, payload: bytes, redactor: Redactor) -> Failure:
    """The failure that an exception in the stream is."""
    name = name[:1].upper() + name[1:]
    return _failure(name, 500, httpx.Headers(), _document(payload), redactor)


def _failure(
    name: str, status: int, headers: httpx.Headers, document: Mapping[str, Any], redactor: Redactor
) -> Failure:
    said = document.get("message") or document.get("Message") or document.get("originalMessage") or ""
    meant = _MEANS.get(name, status)
    if name == "AccessDeniedException" and _BAD_KEY.search(str(said)):
        meant = 401
    failure = failures.failure_of_reply(meant, headers, json.dumps({"message": said}).encode(), redactor)
    failure = replace(failure, code=redactor.clean(name) or None)
    match failure.kind:
        case FailureKind.RATE_LIMITED if _DAILY.search(failure.message):
            return replace(failure, kind=FailureKind.QUOTA_EXHAUSTED)
        case FailureKind.CONTEXT_LENGTH:
            return replace(failure, code=None)
        case FailureKind.REQUEST_REFUSED if _TOO_LONG.search(failure.message):
            return replace(failure, kind=FailureKind.CONTEXT_LENGTH, code=None)
        case _:
            return failure


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
