import json

import httpx
import pytest

from adapters.outbound.providers.bedrock.failures import failure_of_reply
from domain.failure import Failure, FailureKind
from domain.redaction import Redactor


def failure_of(status: int, name: str, words: str = "no", **headers: str) -> Failure:
    told = httpx.Headers({"x-amzn-errortype": f"{name}:http://internal.amazon.com/", **headers})
    return failure_of_reply(status, told, json.dumps({"message": words}).encode(), Redactor())


@pytest.mark.parametrize(
    ("status", "name", "kind"),
    [
        (429, "ThrottlingException", FailureKind.RATE_LIMITED),
        (429, "ModelNotReadyException", FailureKind.RATE_LIMITED),
        (400, "ServiceQuotaExceededException", FailureKind.QUOTA_EXHAUSTED),
        (403, "AccessDeniedException", FailureKind.FORBIDDEN),
        (403, "ExpiredTokenException", FailureKind.CREDENTIAL_REFUSED),
        (403, "UnrecognizedClientException", FailureKind.CREDENTIAL_REFUSED),
        (403, "InvalidSignatureException", FailureKind.CREDENTIAL_REFUSED),
        (403, "MissingAuthenticationTokenException", FailureKind.CREDENTIAL_REFUSED),
        (400, "ValidationException", FailureKind.REQUEST_REFUSED),
        (404, "ResourceNotFoundException", FailureKind.REQUEST_REFUSED),
        (408, "ModelTimeoutException", FailureKind.CONFLICT),
        (424, "ModelErrorException", FailureKind.SERVER_ERROR),
        (500, "InternalServerException", FailureKind.SERVER_ERROR),
        (503, "ServiceUnavailableException", FailureKind.SERVER_ERROR),
        (429, "SomethingNew", FailureKind.RATE_LIMITED),
        (502, "", FailureKind.SERVER_ERROR),
    ],
)
def test_error_is_known_by_its_name(status: int, name: str, kind: FailureKind) -> None:
    failure = failure_of(status, name)

    assert (failure.kind, failure.status, failure.code) == (kind, status, name or None)


@pytest.mark.parametrize("body", [{"__type": "com.amazon.coral.service#ThrottlingException", "Message": "slow"}])
def test_error_without_its_header_is_known_by_its_body(body: dict[str, str]) -> None:
    failure = failure_of_reply(400, httpx.Headers(), json.dumps(body).encode(), Redactor())

    assert (failure.kind, failure.status, failure.message) == (FailureKind.RATE_LIMITED, 400, "slow")


@pytest.mark.parametrize(
    "words",
    [
        "Input is too long for requested model.",
        "The model returned the following errors: prompt is too long: 200049 tokens > 200000 maximum",
        "400 Bad Request: Too many input tokens. Max input tokens: 8192, request input token count: 9000",
        "This model's maximum context length is 8192 tokens. Please reduce the length of the prompt",
    ],
)
def test_prompt_that_does_not_fit_is_known_by_its_words(words: str) -> None:
    failure = failure_of(400, "ValidationException", words)

    assert (failure.kind, failure.code, failure.message) == (FailureKind.CONTEXT_LENGTH, None, words)


def test_daily_quota_is_no_mere_rate_limit() -> None:
    words = "Too many tokens per day, please wait before trying again."

    assert failure_of(429, "ThrottlingException", words).kind is FailureKind.QUOTA_EXHAUSTED
    assert failure_of(429, "ThrottlingException", "Too many tokens, please wait.").kind is FailureKind.RATE_LIMITED


def test_bad_api_key_is_a_refused_credential() -> None:
    words = "Authentication failed: Please make sure your API Key is valid."

    assert failure_of(403, "AccessDeniedException", words).kind is FailureKind.CREDENTIAL_REFUSED


def test_words_about_the_gateways_credential_stay_inside() -> None:
    words = "The Canonical String for this request should have been x-amz-security-token:secret"

    for name in ("InvalidSignatureException", "AccessDeniedException"):
        failure = failure_of(403, name, words)
        assert "secret" not in failure.message
        assert not failure.quotes


def test_wish_to_be_asked_later_is_kept() -> None:
    assert failure_of(429, "ThrottlingException", **{"retry-after": "7"}).retry_after_us == 7_000_000
    assert failure_of(503, "ServiceUnavailableException", **{"retry-after": "2"}).retry_after_us == 2_000_000


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"message": null}'])
def test_error_without_words_is_known_by_its_status(body: bytes) -> None:
    failure = failure_of_reply(503, httpx.Headers(), body, Redactor())

    assert (failure.kind, failure.quotes) == (FailureKind.SERVER_ERROR, False)
