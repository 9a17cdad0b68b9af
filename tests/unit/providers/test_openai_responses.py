"""Responses as a provider itself tells them: relayed, but for the model's name."""

import json
from typing import Any

import pytest

from adapters.outbound.providers.openai_responses import ResponseRelay, response_reply
from domain.chat import Chunk, Usage
from domain.failure import FailureKind, ProviderFailed
from domain.redaction import Redactor

USAGE = {
    "input_tokens": 11,
    "input_tokens_details": {"cached_tokens": 3},
    "output_tokens": 7,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 18,
}
TRICK = '"model":"gpt-5" {"error":{}} response.completed'


def response(status: str = "completed", **more: object) -> dict[str, Any]:
    return {"id": "resp_1", "object": "response", "status": status, "model": "gpt-5", "output": [], **more}


def event(kind: str, separators: tuple[str, str] = (",", ":"), **members: object) -> bytes:
    return json.dumps({"type": kind, "sequence_number": 4, **members}, separators=separators).encode()


def relay() -> ResponseRelay:
    return ResponseRelay("mine", Redactor(("sk-secret",)))


def failed_with(data: bytes) -> Any:
    with pytest.raises(ProviderFailed) as caught:
        relay().chunk(data)
    return caught.value.failure


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_delta_is_relayed_byte_for_byte(separators: tuple[str, str]) -> None:
    data = event("response.output_text.delta", separators, delta=TRICK, item_id="msg", obfuscation="x")

    assert relay().chunk(data) == Chunk(data)


@pytest.mark.parametrize("kind", ["response.created", "response.in_progress", "response.completed"])
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_response_in_an_event_has_the_clients_model(kind: str, separators: tuple[str, str]) -> None:
    data = event(kind, separators, response=response("in_progress"))

    assert relay().chunk(data).data == data.replace(b"gpt-5", b"mine")


def test_model_is_found_where_others_have_the_same_name() -> None:
    tools = [{"type": "function", "name": "f", "parameters": {"properties": {"model": {"type": "string"}}}}]
    data = event("response.created", response=response("in_progress", tools=tools, x_number=1e300))

    assert relay().chunk(data).data == data.replace(b'"model":"gpt-5"', b'"model":"mine"')


def test_end_tells_the_usage_and_completes_the_stream() -> None:
    one = relay()
    one.chunk(event("response.output_text.delta", delta="a"))

    chunk = one.chunk(event("response.completed", response=response(usage=USAGE)))

    assert (chunk.usage, chunk.content, chunk.visible) == (Usage(11, 7, 3), False, True)
    assert one.is_complete


def test_response_cut_short_is_complete_as_a_stream() -> None:
    one = relay()
    chunk = one.chunk(event("response.incomplete", response=response("incomplete", usage=USAGE)))

    assert one.is_complete
    assert chunk.content


@pytest.mark.parametrize(
    ("data", "content"),
    [
        (event("response.created", response=response("in_progress")), False),
        (event("response.output_item.added", item={"type": "message"}), False),
        (event("response.output_item.added", item={"type": "function_call"}), True),
        (event("response.content_part.added", part={"type": "output_text"}), False),
        (b'{"delta":"a","type":"response.output_text.delta"}', True),
        (event("response.output_text.done", text="a"), False),
    ],
)
def test_only_what_the_model_says_is_content(data: bytes, *, content: bool) -> None:
    assert relay().chunk(data).content is content


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (event("error", code="server_error", message="oops"), FailureKind.SERVER_ERROR),
        (event("error", code="rate_limit_exceeded", message="slow down"), FailureKind.RATE_LIMITED),
        (event("error", error={"type": "invalid_request_error", "message": "bad"}), FailureKind.REQUEST_REFUSED),
        (
            event("response.failed", response=response("failed", error={"code": "server_error", "message": "oops"})),
            FailureKind.SERVER_ERROR,
        ),
        (
            event("response.failed", response=response("failed", error={"code": "invalid_prompt", "message": "bad"})),
            FailureKind.REQUEST_REFUSED,
        ),
        (event("response.failed", response=response("failed", error=None)), FailureKind.SERVER_ERROR),
        (b"[DONE]", FailureKind.BROKEN_REPLY),
        (b'{"x":1}', FailureKind.BROKEN_REPLY),
    ],
)
def test_failed_response_is_a_failure(data: bytes, kind: FailureKind) -> None:
    assert failed_with(data).kind is kind


def test_failure_keeps_the_instances_secrets() -> None:
    failure = failed_with(event("error", code="server_error", message="key sk-secret is bad"))

    assert "sk-secret" not in failure.message


def test_whole_reply_has_the_clients_model_and_its_usage() -> None:
    body = json.dumps(response(usage=USAGE, error=None), indent=1).encode()

    reply = response_reply(body, Redactor(), "mine")

    assert reply.body == body.replace(b"gpt-5", b"mine")
    assert reply.usage == Usage(11, 7, 3)


def test_whole_reply_under_way_in_the_background_passes() -> None:
    assert response_reply(json.dumps(response("queued", usage=None)).encode(), Redactor(), "mine").usage is None


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (None, FailureKind.BROKEN_REPLY),
        (b"[]", FailureKind.BROKEN_REPLY),
        (b'{"id":"resp_1"}', FailureKind.BROKEN_REPLY),
        (
            json.dumps(response("failed", error={"code": "invalid_image", "message": "x"})).encode(),
            FailureKind.REQUEST_REFUSED,
        ),
        (json.dumps(response("failed", error=None)).encode(), FailureKind.SERVER_ERROR),
    ],
)
def test_whole_reply_that_is_none_is_a_failure(body: bytes | None, kind: FailureKind) -> None:
    with pytest.raises(ProviderFailed) as caught:
        response_reply(body, Redactor(), "mine")

    assert caught.value.failure.kind is kind
