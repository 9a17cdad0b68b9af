import json

import httpx
import pytest

from adapters.outbound.providers.gemini.errors import gemini_failure
from domain.failure import Failure, FailureKind
from domain.redaction import Redactor

RPC = "type.googleapis.com/google.rpc."


def failure(
    status: int, name: str = "INVALID_ARGUMENT", message: str = "no", *details: object, **headers: str
) -> Failure:
    error = {"error": {"code": status, "message": message, "status": name, "details": list(details)}}
    return gemini_failure(status, httpx.Headers(headers), json.dumps(error).encode(), Redactor(("secret-key",)))


def info(reason: str) -> dict[str, object]:
    return {"@type": f"{RPC}ErrorInfo", "reason": reason, "domain": "googleapis.com"}


@pytest.mark.parametrize(
    ("status", "name", "kind"),
    [
        (400, "INVALID_ARGUMENT", FailureKind.REQUEST_REFUSED),
        (400, "FAILED_PRECONDITION", FailureKind.FORBIDDEN),
        (401, "UNAUTHENTICATED", FailureKind.CREDENTIAL_REFUSED),
        (403, "PERMISSION_DENIED", FailureKind.FORBIDDEN),
        (404, "NOT_FOUND", FailureKind.REQUEST_REFUSED),
        (409, "ABORTED", FailureKind.CONFLICT),
        (429, "RESOURCE_EXHAUSTED", FailureKind.RATE_LIMITED),
        (500, "INTERNAL", FailureKind.SERVER_ERROR),
        (503, "UNAVAILABLE", FailureKind.SERVER_ERROR),
    ],
)
def test_a_status_means_what_it_means_everywhere_and_its_name_is_the_code(
    status: int, name: str, kind: FailureKind
) -> None:
    found = failure(status, name)
    assert (found.kind, found.status, found.code) == (kind, status, name)


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (400, "API_KEY_INVALID", FailureKind.CREDENTIAL_REFUSED),
        (403, "SERVICE_DISABLED", FailureKind.CREDENTIAL_REFUSED),
        (403, "BILLING_DISABLED", FailureKind.QUOTA_EXHAUSTED),
        (503, "API_KEY_INVALID", FailureKind.SERVER_ERROR),
    ],
)
def test_a_reason_says_more_than_a_status(status: int, reason: str, kind: FailureKind) -> None:
    found = failure(status, "INVALID_ARGUMENT", "API key secret-key not valid", info(reason))
    assert found.kind is kind
    assert "secret-key" not in found.message


def test_when_to_come_again_stands_in_the_details_or_before_them_in_the_header() -> None:
    retry = {"@type": f"{RPC}RetryInfo", "retryDelay": "34.5s"}
    assert failure(429, "RESOURCE_EXHAUSTED", "slow", retry).retry_after_us == 34_500_000
    assert failure(429, "RESOURCE_EXHAUSTED", "slow", retry, **{"retry-after": "2"}).retry_after_us == 2_000_000
    assert failure(429, "RESOURCE_EXHAUSTED", "slow", {**retry, "retryDelay": "soon"}).retry_after_us is None
    assert failure(429, "RESOURCE_EXHAUSTED", "slow", {**retry, "retryDelay": "9999999s"}).retry_after_us is None


def test_a_daily_quota_is_exhausted() -> None:
    quota = {"@type": f"{RPC}QuotaFailure", "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel"}]}
    minute = {"@type": f"{RPC}QuotaFailure", "violations": [{"quotaId": "GenerateRequestsPerMinutePerProject"}]}
    assert failure(429, "RESOURCE_EXHAUSTED", "slow", quota).kind is FailureKind.QUOTA_EXHAUSTED
    assert failure(429, "RESOURCE_EXHAUSTED", "slow", minute).kind is FailureKind.RATE_LIMITED


def test_a_prompt_that_is_too_long_is_known_by_its_words() -> None:
    words = "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
    assert failure(400, "INVALID_ARGUMENT", words).kind is FailureKind.CONTEXT_LENGTH


def test_an_error_in_a_list_is_the_same_error() -> None:
    body = b'[{"error": {"code": 404, "message": "models/x is not found", "status": "NOT_FOUND"}}]'
    found = gemini_failure(404, httpx.Headers(), body, Redactor())
    assert (found.message, found.code) == ("models/x is not found", "NOT_FOUND")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": "plain"}', b'{"error": {"details": [1]}}'])
def test_an_error_that_is_none_of_googles_is_read_by_its_status(body: bytes) -> None:
    assert gemini_failure(502, httpx.Headers(), body, Redactor()).kind is FailureKind.SERVER_ERROR
