import json

import httpx
import pytest

from adapters.outbound.providers.cohere.failures import failure_of_reply
from domain.failure import FailureKind
from domain.redaction import Redactor

KIND = FailureKind
TOO_LONG = "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 4292."
TOO_LARGE = "too many tokens: size limit exceeded by 11326 tokens. Try using shorter or fewer inputs."
MAXIMUM = "too many tokens: max tokens must be less than or equal to 4096, the maximum output for this model"
MINUTELY = "You are using a Trial key, which is limited to 10 API calls / minute."
MONTHLY = "You are using a Trial key, which is limited to 1000 API calls / month."


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "invalid request: message must be at least 1 token long", KIND.REQUEST_REFUSED),
        (400, TOO_LONG, KIND.CONTEXT_LENGTH),
        (400, TOO_LARGE, KIND.CONTEXT_LENGTH),
        (400, MAXIMUM, KIND.REQUEST_REFUSED),
        (401, "invalid api token", KIND.CREDENTIAL_REFUSED),
        (402, "Please add or update your payment method", KIND.QUOTA_EXHAUSTED),
        (403, "Please use a valid token", KIND.FORBIDDEN),
        (404, "model 'x' not found", KIND.REQUEST_REFUSED),
        (422, "invalid role", KIND.REQUEST_REFUSED),
        (429, MINUTELY, KIND.RATE_LIMITED),
        (429, MONTHLY, KIND.QUOTA_EXHAUSTED),
        (498, "blocked input", KIND.REQUEST_REFUSED),
        (500, TOO_LONG, KIND.SERVER_ERROR),
        (503, "overloaded", KIND.SERVER_ERROR),
    ],
)
def test_an_errors_words_tell_what_its_status_does_not(status: int, message: str, kind: FailureKind) -> None:
    body = json.dumps({"id": "1", "message": message}).encode()

    failure = failure_of_reply(status, httpx.Headers({"retry-after": "7"}), body, Redactor(()))

    assert (failure.kind, failure.status, failure.retry_after_us) == (kind, status, 7_000_000)
