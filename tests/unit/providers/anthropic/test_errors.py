import json

import httpx
import pytest

from adapters.outbound.providers.anthropic.errors import failure_of_reply
from domain.failure import Cooldown, Failure, FailureKind
from domain.redaction import Redactor
from tests.wires.anthropic import AnthropicWire
from tests.wires.wire import Refused


def failure(status: int, message: str = "No.", retry_after_s: int | None = None) -> Failure:
    reply = AnthropicWire().refusal(Refused(status, message, retry_after_s))
    return failure_of_reply(reply.status, httpx.Headers(dict(reply.headers)), reply.pieces[0], Redactor(()))


@pytest.mark.parametrize(
    ("status", "kind", "type_"),
    [
        (400, FailureKind.REQUEST_REFUSED, "invalid_request_error"),
        (401, FailureKind.CREDENTIAL_REFUSED, "authentication_error"),
        (402, FailureKind.QUOTA_EXHAUSTED, "billing_error"),
        (403, FailureKind.FORBIDDEN, "permission_error"),
        (404, FailureKind.REQUEST_REFUSED, "not_found_error"),
        (413, FailureKind.REQUEST_REFUSED, "invalid_request_error"),
        (429, FailureKind.RATE_LIMITED, "rate_limit_error"),
        (500, FailureKind.SERVER_ERROR, "api_error"),
        (504, FailureKind.SERVER_ERROR, "timeout_error"),
        (529, FailureKind.SERVER_ERROR, "overloaded_error"),
    ],
)
def test_every_error_is_what_its_status_says(status: int, kind: FailureKind, type_: str) -> None:
    found = failure(status)
    assert (found.kind, found.status, found.type) == (kind, status, type_)


@pytest.mark.parametrize("status", [429, 529])
def test_the_wish_to_be_left_alone_is_heard(status: int) -> None:
    assert failure(status, retry_after_s=7).retry_after_us == 7_000_000


@pytest.mark.parametrize(
    "message",
    [
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade.",
        "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.",
    ],
)
def test_an_empty_account_rests_though_it_comes_as_a_bad_request(message: str) -> None:
    found = failure(400, message)
    assert (found.kind, found.cooldown) == (FailureKind.QUOTA_EXHAUSTED, Cooldown.QUOTA_EXHAUSTED)


@pytest.mark.parametrize(
    "message",
    [
        "prompt is too long: 214831 tokens > 200000 maximum",
        "input length and `max_tokens` exceed context limit: 195000 + 8192 > 200000, decrease input length",
    ],
)
def test_a_prompt_that_does_not_fit_is_named_so(message: str) -> None:
    assert failure(400, message).kind is FailureKind.CONTEXT_LENGTH


def test_a_page_of_a_proxy_is_no_help_to_anyone() -> None:
    found = failure_of_reply(502, httpx.Headers({"content-type": "text/html"}), b"<html>10.0.0.1</html>", Redactor(()))
    assert (found.kind, found.message) == (FailureKind.SERVER_ERROR, "the provider answered 502 without saying why")


def test_an_error_document_may_be_shorter_than_documented() -> None:
    body = json.dumps({"type": "error", "error": {"type": "api_error"}}).encode()
    assert failure_of_reply(500, httpx.Headers(), body, Redactor(())).type == "api_error"
