"""Every row of the error table, as a client sees it."""

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quart import typing as quart_typing

from adapters.inbound.http.errors import error_answer
from adapters.inbound.http.response_headers import header_value
from application import errors
from domain.failure import Failure, FailureKind
from tests.integration.http.stubs import BEARER, LLM_KEY, StubGateway, http_app, trace

CHAT = "/v1/chat/completions"
ASK = {"model": "gpt-4", "messages": [{"role": "user", "content": "hi"}]}


def client(gateway: StubGateway) -> quart_typing.TestClientProtocol:
    return http_app(gateway).test_client()


def failure(kind: FailureKind = FailureKind.SERVER_ERROR, status: int | None = 500, **told: object) -> Failure:
    return Failure(kind, "told by the provider", status, **told)  # type: ignore[arg-type]


ROWS = [
    (errors.InvalidRequest("m", param="p"), 400, "invalid_request"),
    (errors.UnsupportedOperation("m"), 400, "unsupported_operation"),
    (errors.RequestExceedsLimit("m"), 400, "request_exceeds_limit"),
    (errors.NotAuthenticated("m"), 401, "invalid_api_key"),
    (errors.ModelNotAllowed("m"), 403, "model_not_allowed"),
    (errors.UnpricedModel("m"), 403, "unpriced_model"),
    (errors.ModelNotFound("m"), 404, "model_not_found"),
    (errors.InstanceNotFound("m"), 404, "instance_not_found"),
    (errors.UpstreamRateLimited("m", failure=failure(FailureKind.RATE_LIMITED, 429)), 429, "rate_limit_exceeded"),
    (errors.UpstreamFailed("m", failure=failure()), 502, "upstream_error"),
    (errors.StreamBroken("m", failure=failure()), 502, "upstream_error"),
    (errors.NoInstanceAvailable("m", retry_after_us=1), 503, "no_available_instance"),
    (errors.RateLimited("m", retry_after_us=1), 429, "rate_limit_exceeded"),
    (errors.StateUnavailable("m"), 503, "state_unavailable"),
    (errors.DeadlineExceeded("m"), 504, "upstream_timeout"),
]


@pytest.mark.parametrize(("error", "status", "code"), ROWS, ids=lambda value: type(value).__name__)
async def test_error_of_a_use_case_has_its_status_and_code(error: errors.GatewayError, status: int, code: str) -> None:
    answer = await client(StubGateway(error=error)).post(CHAT, json=ASK, headers=BEARER)

    document = (await answer.get_json())["error"]
    assert (status, code) == (answer.status_code, document["code"])
    assert {"message", "type", "param", "code"} == set(document)
    assert document["message"] == "m"
    assert document["param"] == error.param
    assert len(answer.headers["x-request-id"]) == 36


async def test_refusal_of_the_provider_keeps_status_message_code_type_and_param() -> None:
    refused = failure(FailureKind.REQUEST_REFUSED, 422, code="bad_image", type="image_error", param="messages")
    error = errors.UpstreamRefused("the image is too large", failure=refused)

    answer = await client(StubGateway(error=error)).post(CHAT, json=ASK, headers=BEARER)

    assert answer.status_code == 422
    assert (await answer.get_json())["error"] == {
        "message": "the image is too large",
        "type": "image_error",
        "param": "messages",
        "code": "bad_image",
    }


@pytest.mark.parametrize("status", [401, 403, 407, 200, 302, 500, None])
def test_refusal_with_a_status_that_would_mislead_is_a_400(status: int | None) -> None:
    error = errors.UpstreamRefused("no", failure=failure(FailureKind.REQUEST_REFUSED, status))

    assert error_answer(error).status == 400


def test_refusal_without_a_code_tells_its_kind() -> None:
    error = errors.UpstreamRefused("too long", failure=failure(FailureKind.CONTEXT_LENGTH, 400))

    assert json.loads(error_answer(error).body)["error"]["code"] == "context_length_exceeded"


def test_code_that_is_no_word_is_told_to_the_client_alone() -> None:
    said = "not allowed: my diagnosis"
    answer = error_answer(errors.UpstreamRefused("no", failure=failure(FailureKind.REQUEST_REFUSED, 400, code=said)))

    assert (json.loads(answer.body)["error"]["code"], answer.code) == (said, "invalid_request")


@pytest.mark.parametrize(
    ("retry_after_us", "seconds", "milliseconds"),
    [(2_000_000, "2", "2000"), (2_000_001, "3", "2001"), (1, "1", "1"), (0, "1", "1"), (-5, "1", "1")],
)
def test_retry_after_is_rounded_up_and_at_least_a_second(retry_after_us: int, seconds: str, milliseconds: str) -> None:
    answer = error_answer(errors.NoInstanceAvailable("wait", retry_after_us=retry_after_us))

    assert dict(answer.headers)["retry-after"] == seconds
    assert dict(answer.headers)["retry-after-ms"] == milliseconds


def test_rate_limit_of_every_attempt_carries_the_smallest_wait() -> None:
    limited = failure(FailureKind.RATE_LIMITED, 429, retry_after_us=7_500_000)

    headers = dict(error_answer(errors.UpstreamRateLimited("slow down", failure=limited)).headers)

    assert (headers["retry-after"], headers["retry-after-ms"]) == ("8", "7500")


def test_error_with_a_story_tells_attempts_and_fallbacks() -> None:
    error = errors.UpstreamFailed("all failed", failure=failure(), trace=trace(["gpt-4", "gpt-3.5"], attempts=3))

    headers = dict(error_answer(error).headers)

    assert headers["x-moongate-attempts"] == "3"
    assert headers["x-moongate-fallbacks"] == "gpt-4>gpt-3.5"


async def test_defect_is_a_500_that_tells_the_client_nothing_and_the_log_everything(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = await client(StubGateway(error=KeyError("sk-secret"))).post(CHAT, json=ASK, headers=BEARER)

    body = await answer.get_data(as_text=True)
    assert answer.status_code == 500
    assert json.loads(body)["error"]["code"] == "internal_error"
    assert "sk-secret" not in body
    assert "KeyError" not in body
    assert answer.headers["x-request-id"] in caplog.text


async def test_unknown_path_is_404_in_the_error_shape() -> None:
    answer = await client(StubGateway()).get("/v2/nothing", headers=BEARER)

    assert answer.status_code == 404
    assert (await answer.get_json())["error"]["code"] == "not_found"
    assert "x-request-id" in answer.headers


async def test_unknown_path_that_ends_as_one_for_forms_is_404() -> None:
    answer = await client(StubGateway()).post("/nothing/audio/transcriptions", headers=BEARER, json={})

    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", CHAT, "POST"), ("DELETE", "/v1/models", "GET"), ("GET", "/v1/audio/transcriptions", "POST")],
)
async def test_wrong_method_is_405_with_the_methods_allowed(method: str, path: str, allowed: str) -> None:
    answer = await client(StubGateway()).open(path, method=method, headers=BEARER, json=None)

    assert answer.status_code == 405
    assert (await answer.get_json())["error"]["code"] == "method_not_allowed"
    assert allowed in answer.headers["allow"]


async def test_admin_endpoint_with_another_key_is_403_forbidden() -> None:
    headers = {"authorization": f"Bearer {LLM_KEY}"}

    answer = await client(StubGateway()).get("/admin/v1/decisions/r-1", headers=headers)

    assert answer.status_code == 403
    assert (await answer.get_json())["error"]["code"] == "forbidden"


@given(st.text())
def test_no_name_can_break_out_of_a_header_value(name: str) -> None:
    value = header_value(name)

    assert value.isascii()
    assert not any(ord(character) < 0x20 or ord(character) == 0x7F for character in value)


def test_name_that_is_printable_ascii_stands_in_a_header_as_it_is() -> None:
    assert header_value("meta/llama-3:8b 100%") == "meta/llama-3:8b 100%"
