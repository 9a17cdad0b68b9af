import json

import httpx
import pytest

from adapters.outbound.providers.failures import failure_inside_success, failure_of_reply, failure_of_transport
from adapters.outbound.providers.transport import HostNotFound, NoAnswer, TlsRefused
from domain.failure import Failure, FailureKind
from domain.redaction import Redactor

KIND = FailureKind


def refused(status: int, body: object, headers: dict[str, str] | None = None) -> Failure:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return failure_of_reply(status, httpx.Headers(headers or {}), raw, Redactor(["our-own-key"]))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, KIND.REQUEST_REFUSED),
        (404, KIND.REQUEST_REFUSED),
        (413, KIND.REQUEST_REFUSED),
        (422, KIND.REQUEST_REFUSED),
        (418, KIND.REQUEST_REFUSED),
        (401, KIND.CREDENTIAL_REFUSED),
        (402, KIND.QUOTA_EXHAUSTED),
        (403, KIND.FORBIDDEN),
        (408, KIND.CONFLICT),
        (409, KIND.CONFLICT),
        (425, KIND.CONFLICT),
        (429, KIND.RATE_LIMITED),
        (500, KIND.SERVER_ERROR),
        (502, KIND.SERVER_ERROR),
        (503, KIND.SERVER_ERROR),
        (504, KIND.SERVER_ERROR),
        (529, KIND.SERVER_ERROR),
        (301, KIND.BROKEN_REPLY),
        (307, KIND.BROKEN_REPLY),
    ],
)
def test_a_status_decides_the_kind(status: int, kind: FailureKind) -> None:
    failure = refused(status, {"error": {"message": "no"}})
    assert (failure.kind, failure.status) == (kind, status)


def test_openais_error_is_kept_whole() -> None:
    error = {"message": "Bad temperature", "type": "invalid_request_error", "param": "temperature", "code": "bad_value"}
    assert refused(400, {"error": error}) == Failure(
        KIND.REQUEST_REFUSED, "Bad temperature", 400, "bad_value", "invalid_request_error", "temperature", quotes=True
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": "model 'x' not found"}, "model 'x' not found"),
        ({"object": "error", "message": "too long", "code": 400}, "too long"),
        ({"message": "Unauthorized", "request_id": "1"}, "Unauthorized"),
        ({"detail": "Not Found"}, "Not Found"),
        ({"detail": [{"loc": ["body", "x"], "msg": "extra"}]}, '[{"loc": ["body", "x"], "msg": "extra"}]'),
        ({"object": "error", "message": {"detail": ["a"]}}, '{"detail": ["a"]}'),
        ({"error": {"message": None}}, "the provider answered 400 without saying why"),
        ({"error": 17}, "17"),
        ([1, 2], "the provider answered 400 without saying why"),
        (b"<html>10.0.0.1 nginx</html>", "the provider answered 400 without saying why"),
        (b"", "the provider answered 400 without saying why"),
        (b"[" * 100_000, "the provider answered 400 without saying why"),
        ({"error": {"message": "the key our-own-key\nis wrong"}}, "the key [redacted] is wrong"),
    ],
)
def test_the_message_is_found_in_every_shape(body: object, message: str) -> None:
    assert refused(400, body).message == message


@pytest.mark.parametrize(
    ("status", "body", "own"),
    [
        (400, {"error": {"message": "said", "code": "bad_value"}}, "the provider answered 400 (bad_value)"),
        (400, {"error": {"message": "said", "code": "a prompt"}}, "the provider answered 400 (request_refused)"),
        (400, {"error": {"message": "said", "code": "x" * 65}}, "the provider answered 400 (request_refused)"),
        (500, {"error": "said"}, "the provider answered 500 (server_error)"),
        (500, b"", "the provider answered 500 without saying why"),
        (401, {"error": {"message": "said"}}, "the provider refused the gateway's credential"),
    ],
)
def test_gateways_own_words_have_none_of_the_providers(status: int, body: object, own: str) -> None:
    assert refused(status, body).own_words == own


def test_gateways_own_words_for_an_error_inside_a_success() -> None:
    failure = failure_inside_success({"error": {"message": "said", "type": "server_error"}}, Redactor())

    assert failure is not None
    assert (failure.message, failure.own_words) == ("said", "the provider reported an error (server_error)")


@pytest.mark.parametrize("name", ["code", "type", "param"])
def test_credential_that_the_cut_would_halve_is_found_before(name: str) -> None:
    failure = refused(400, {"error": {"message": "m", name: "x" * 195 + " our-own-key"}})

    assert getattr(failure, name) == "x" * 195 + " [red"


def test_plain_words_are_taken_from_a_refusal_but_not_from_a_proxys_error_page() -> None:
    plain = {"content-type": "text/plain; charset=utf-8"}
    assert refused(422, b"missing field `messages`", plain).message == "missing field `messages`"
    assert refused(502, b"upstream 10.0.0.7 down", plain).message == "the provider answered 502 without saying why"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"code": 400}, None),
        ({"code": "429"}, "429"),
        ({"code": 17}, "17"),
        ({"code": True}, None),
        ({"code": {"a": 1}}, None),
        ({"code": "x" * 500}, "x" * 200),
    ],
)
def test_a_code_of_any_type_becomes_text_or_nothing(error: dict[str, object], code: str | None) -> None:
    assert refused(400, {"error": {"message": "m", **error}}).code == code


@pytest.mark.parametrize(
    "error",
    [
        {"code": "context_length_exceeded", "message": "m"},
        {"code": 400, "type": "exceed_context_size_error", "message": "m"},
        {"message": "This model's maximum context length is 8192 tokens. However, you requested 9000."},
        {"message": "the model's context length is only 1024 tokens, resulting in a maximum input length of 24"},
        {"message": "Prompt contains 40000 tokens, too large for model with 32768 maximum context length"},
        {"message": "the request exceeds the available context size, try increasing it"},
        {"message": "Please reduce the length of the messages or completion."},
    ],
)
def test_a_prompt_too_long_is_told_from_other_refusals(error: dict[str, object]) -> None:
    assert refused(400, {"error": error}).kind is KIND.CONTEXT_LENGTH


def test_a_long_field_is_not_a_long_prompt() -> None:
    error = {"message": "max_tokens is too large: this model supports at most 4096 completion tokens"}
    assert refused(400, {"error": error}).kind is KIND.REQUEST_REFUSED


@pytest.mark.parametrize("where", ["code", "type"])
def test_an_empty_account_is_told_from_a_rate_limit(where: str) -> None:
    assert refused(429, {"error": {"message": "m", where: "insufficient_quota"}}).kind is KIND.QUOTA_EXHAUSTED


def test_a_rate_limit_keeps_its_wish() -> None:
    assert refused(429, {}, {"retry-after": "3"}).retry_after_us == 3_000_000


@pytest.mark.parametrize("status", [401, 403])
def test_words_about_our_credential_never_pass(status: int) -> None:
    failure = refused(status, {"error": {"message": "Incorrect API key provided: sk-ab****yz"}})
    assert "sk-" not in failure.message
    assert "gateway's credential" in failure.message


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        ({"message": "m", "type": "server_error"}, KIND.SERVER_ERROR, None),
        ({"message": "m", "type": "overloaded_error"}, KIND.SERVER_ERROR, None),
        ({"message": "m", "code": 502}, KIND.SERVER_ERROR, 502),
        ({"message": "m", "code": 429}, KIND.RATE_LIMITED, 429),
        ({"message": "m", "code": "429"}, KIND.RATE_LIMITED, 429),
        ({"message": "m", "code": "rate_limit_exceeded"}, KIND.RATE_LIMITED, None),
        ({"message": "m", "type": "insufficient_quota"}, KIND.QUOTA_EXHAUSTED, None),
        ({"message": "m", "type": "invalid_request_error"}, KIND.REQUEST_REFUSED, 400),
        ({"message": "m", "type": "BadRequestError", "code": 422}, KIND.REQUEST_REFUSED, 422),
        ({"message": "m", "code": "context_length_exceeded"}, KIND.CONTEXT_LENGTH, 400),
        ({"message": "m", "type": "authentication_error"}, KIND.CREDENTIAL_REFUSED, None),
        ({"message": "m", "code": 403}, KIND.FORBIDDEN, 403),
        ("something broke", KIND.SERVER_ERROR, None),
    ],
)
def test_an_error_inside_a_success_is_judged_by_its_words(error: object, kind: FailureKind, status: int | None) -> None:
    failure = failure_inside_success({"error": error}, Redactor())
    assert failure is not None
    assert (failure.kind, failure.status) == (kind, status)


def test_a_success_without_an_error_holds_no_failure() -> None:
    assert failure_inside_success({"choices": [], "error": None}, Redactor()) is None


@pytest.mark.parametrize(
    ("error", "kind", "ambiguous"),
    [
        (httpx.ConnectError("x"), KIND.CONNECT, False),
        (httpx.ConnectTimeout("x"), KIND.CONNECT, False),
        (HostNotFound("x"), KIND.CONNECT, False),
        (TlsRefused("x"), KIND.CONNECT, False),
        (NoAnswer("x"), KIND.CONNECT, True),
        (httpx.ReadTimeout("x"), KIND.TIMEOUT, True),
        (httpx.ReadError("x"), KIND.BROKEN_REPLY, True),
        (httpx.WriteError("x"), KIND.BROKEN_REPLY, True),
        (httpx.RemoteProtocolError("x"), KIND.BROKEN_REPLY, True),
    ],
)
def test_a_transport_error_says_whether_the_provider_may_bill(
    error: httpx.TransportError, kind: FailureKind, *, ambiguous: bool
) -> None:
    failure = failure_of_transport(error)
    assert (failure.kind, failure.ambiguous) == (kind, ambiguous)
    assert failure.status is None
