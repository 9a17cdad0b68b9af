import json
from typing import Any

import pytest

from domain.chat import Usage
from domain.failure import FailureKind, ProviderFailed
from tests.unit.providers.anthropic.streaming import deltas, told

START = {"type": "message_start", "message": {"usage": {"input_tokens": 9, "output_tokens": 1}}}
STOP = {"type": "message_stop"}


def block(content: dict[str, Any], *pieces: dict[str, Any], index: int = 0) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": content},
        *({"type": "content_block_delta", "index": index, "delta": piece} for piece in pieces),
        {"type": "content_block_stop", "index": index},
    ]


def ended(reason: str | None, **more: object) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason, **more}, "usage": {"output_tokens": 5}}


def finishes(*events: dict[str, Any]) -> list[tuple[str, str | None]]:
    choices = [choice for chunk in told(*events) for choice in json.loads(chunk.data)["choices"]]
    return [(each["finish_reason"], each.get("stop_sequence")) for each in choices if each["finish_reason"]]


def failure(*events: dict[str, Any]) -> Any:
    with pytest.raises(ProviderFailed) as raised:
        told(*events)
    return raised.value.failure


def test_the_start_is_the_role_and_no_content_yet() -> None:
    (chunk,) = told(START)
    assert not chunk.content
    assert json.loads(chunk.data)["choices"][0]["delta"] == {"role": "assistant", "content": ""}


def test_texts_come_as_they_are() -> None:
    empty = {"type": "text", "text": ""}
    assert deltas(*block(empty, {"type": "text_delta", "text": "Grü"}, {"type": "text_delta", "text": "ezi"})) == [
        {"content": "Grü"},
        {"content": "ezi"},
    ]
    assert deltas(*block({"type": "text", "text": "At once"})) == [{"content": "At once"}]


def test_tool_calls_are_counted_apart_from_other_blocks() -> None:
    use = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
    pieces = [{"type": "input_json_delta", "partial_json": piece} for piece in ("", '{"x"', ":1}")]
    made = deltas(*block({"type": "text", "text": "I look."}), *block(use, *pieces, index=1), *block(use, index=2))
    assert [call for delta in made[1:] for call in delta["tool_calls"]] == [
        {"index": 0, "id": "toolu_1", "type": "function", "function": {"name": "look", "arguments": ""}},
        {"index": 0, "function": {"arguments": '{"x"'}},
        {"index": 0, "function": {"arguments": ":1}"}},
        {"index": 1, "id": "toolu_1", "type": "function", "function": {"name": "look", "arguments": ""}},
        {"index": 1, "function": {"arguments": "{}"}},
    ]


def test_thoughts_come_as_text_and_then_whole_and_signed() -> None:
    thought = {"type": "thinking", "thinking": "", "signature": ""}
    pieces = [{"type": "thinking_delta", "thinking": "Hm"}, {"type": "thinking_delta", "thinking": "."}]
    signed = [{"type": "signature_delta", "signature": "c2"}, {"type": "signature_delta", "signature": "ln"}]
    hidden = {"type": "redacted_thinking", "data": "ZGF0YQ=="}
    assert deltas(*block(thought, *pieces, *signed), *block(hidden, index=1)) == [
        {"reasoning_content": "Hm"},
        {"reasoning_content": "."},
        {"thinking_blocks": [{"index": 0, "type": "thinking", "thinking": "Hm.", "signature": "c2ln"}]},
        {"thinking_blocks": [{"index": 1, **hidden}]},
    ]


def test_a_thought_that_is_kept_back_still_has_its_signature() -> None:
    thought = {"type": "thinking", "thinking": "", "signature": ""}
    assert deltas(*block(thought, {"type": "signature_delta", "signature": "c2ln"})) == [
        {"thinking_blocks": [{"index": 0, "type": "thinking", "thinking": "", "signature": "c2ln"}]}
    ]


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("pause_turn", "stop"),
        ("max_tokens", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
    ],
)
def test_every_stop_reason_ends_a_stream_once(reason: str, finish: str) -> None:
    assert finishes(START, ended(reason), STOP) == [(finish, None)]


def test_the_stop_sequence_stands_in_the_last_chunk_of_the_choice() -> None:
    assert finishes(START, ended("stop_sequence", stop_sequence="END"), STOP) == [("stop", "END")]


def test_a_refusal_says_why_in_the_last_chunk() -> None:
    details = {"type": "refusal", "category": None, "explanation": "Too dangerous."}
    assert deltas(ended("refusal", stop_details=details)) == [{"refusal": "Too dangerous."}]


def test_a_stream_that_stops_without_a_reason_ended_by_itself() -> None:
    assert finishes(START, ended(None), STOP) == [("stop", None)]


def test_counts_are_those_of_the_last_event_that_tells_them() -> None:
    start = {"type": "message_start", "message": {"usage": {"input_tokens": 9, "cache_read_input_tokens": 90}}}
    more = {"input_tokens": None, "cache_creation_input_tokens": 7, "output_tokens": 5}
    chunk = told(start, {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": more}, STOP)[-1]
    assert chunk.usage == Usage(106, 5, 90)
    document = json.loads(chunk.data)
    assert document["choices"] == []
    assert document["usage"]["prompt_tokens_details"] == {"cached_tokens": 90, "cache_creation_tokens": 7}


def test_pings_and_events_of_tomorrow_mean_nothing() -> None:
    strange = {"type": "content_block_delta", "delta": {"type": "of_tomorrow"}}
    assert told({"type": "ping"}, {"type": "of_tomorrow"}, strange, *block({"type": "server_tool_use"})) == []


def test_an_overload_inside_a_stream_can_be_tried_again() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded, sk-ant-our-own-key"}}
    found = failure(START, error)
    assert (found.kind, found.status, found.message) == (FailureKind.SERVER_ERROR, 529, "Overloaded, [redacted]")
    assert found.verdict.retry


@pytest.mark.parametrize(
    ("type_", "kind", "status"),
    [
        ("rate_limit_error", FailureKind.RATE_LIMITED, 429),
        ("api_error", FailureKind.SERVER_ERROR, 500),
        ("timeout_error", FailureKind.SERVER_ERROR, 504),
        ("invalid_request_error", FailureKind.REQUEST_REFUSED, 400),
        ("authentication_error", FailureKind.CREDENTIAL_REFUSED, 401),
        ("billing_error", FailureKind.QUOTA_EXHAUSTED, 402),
        ("permission_error", FailureKind.FORBIDDEN, 403),
        ("error_of_tomorrow", FailureKind.SERVER_ERROR, 500),
        (None, FailureKind.SERVER_ERROR, 500),
    ],
)
def test_an_error_inside_a_stream_is_what_it_is_elsewhere(type_: object, kind: FailureKind, status: int) -> None:
    found = failure({"type": "error", "error": {"type": type_, "message": "No"}})
    assert (found.kind, found.status) == (kind, status)


@pytest.mark.parametrize(
    "event",
    [
        {"type": "error"},
        {"type": "error", "error": "x"},
        {"type": "message_start"},
        {"type": "message_delta"},
        {"type": "content_block_start", "content_block": None},
        {"type": "content_block_delta"},
        {"type": "content_block_delta", "delta": {"type": "text_delta"}},
        {"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": {}}},
    ],
)
def test_an_event_that_lacks_what_it_must_have_breaks_the_stream(event: dict[str, Any]) -> None:
    assert failure(event).kind is FailureKind.BROKEN_REPLY
