import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outbound.providers.bedrock.reply import completion
from domain.chat import Usage
from domain.failure import FailureKind, ProviderFailed
from tests.unit.providers.bedrock.hearing import HEAD, chunks_of, put_together
from tests.wires.bedrock import BedrockWire
from tests.wires.bedrock_model import checked_reply, parsed_events
from tests.wires.event_stream import event
from tests.wires.wire import Said, ToolCall

WIRE = BedrockWire()
METRICS = {"metrics": {"latencyMs": 1}}
COUNTS = {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}


def reply_of(*blocks: dict[str, Any], reason: str = "end_turn", **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": list(blocks)}
    reply = {"output": {"message": message}, "stopReason": reason, "usage": COUNTS, **METRICS, **more}
    checked_reply(reply)
    return reply


def choice_of(reply: dict[str, Any]) -> dict[str, Any]:
    document, _ = completion(reply, HEAD)
    choices: Any = document["choices"]
    return dict(choices[0])


def test_reply_is_a_chat_completion_with_its_head() -> None:
    document, usage = completion(reply_of({"text": "Hel"}, {"text": "lo"}), HEAD)

    assert document == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "mine",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 3,
            "completion_tokens": 2,
            "total_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 0},
        },
    }
    assert usage == Usage(3, 2)


def test_tool_calls_alone_have_no_content() -> None:
    use = {"toolUse": {"toolUseId": "a", "name": "look", "input": {"größe": [1]}}}
    message = choice_of(reply_of(use, use, reason="tool_use"))["message"]

    call = {"id": "a", "type": "function", "function": {"name": "look", "arguments": '{"größe":[1]}'}}
    assert (message["content"], message["tool_calls"]) == (None, [call, call])


def test_thoughts_are_told_as_text_and_as_blocks_to_send_back() -> None:
    message = choice_of(
        reply_of(
            {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}},
            {"reasoningContent": {"redactedContent": "AAEC"}},
            {"text": "So."},
        )
    )["message"]

    assert (message["content"], message["reasoning_content"]) == ("So.", "hm")
    assert message["thinking_blocks"] == [
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "AAEC"},
    ]


def test_text_with_citations_is_text() -> None:
    cited = {"citationsContent": {"content": [{"text": "It "}, {"text": "is."}], "citations": []}}

    assert choice_of(reply_of(cited))["message"]["content"] == "It is."


REASONS = [
    ("end_turn", "stop"),
    ("stop_sequence", "stop"),
    ("tool_use", "tool_calls"),
    ("max_tokens", "length"),
    ("model_context_window_exceeded", "length"),
    ("guardrail_intervened", "content_filter"),
    ("content_filtered", "content_filter"),
]


@pytest.mark.parametrize(("reason", "expected"), [*REASONS, ("something_new", "stop")])
def test_every_reason_to_stop_has_its_name(reason: str, expected: str) -> None:
    stream = event("messageStop", {"stopReason": reason})

    assert choice_of(reply_of({"text": "x"}, reason=reason))["finish_reason"] == expected
    assert put_together(chunks_of([stream])[0])["finish_reason"] == expected


@pytest.mark.parametrize("reason", ["malformed_model_output", "malformed_tool_use"])
def test_broken_output_of_the_model_is_a_failure(reason: str) -> None:
    for failing in (
        lambda: completion(reply_of({"text": "x"}, reason=reason), HEAD),
        lambda: chunks_of([event("messageStop", {"stopReason": reason})]),
    ):
        with pytest.raises(ProviderFailed) as raised:
            failing()
        assert raised.value.failure.kind is FailureKind.BROKEN_REPLY


def test_stop_sequence_is_named_where_claude_tells_it() -> None:
    told = {"additionalModelResponseFields": {"stop_sequence": "END"}}

    assert choice_of(reply_of({"text": "x"}, reason="stop_sequence", **told))["stop_sequence"] == "END"
    assert "stop_sequence" not in choice_of(
        reply_of({"text": "x"}, additionalModelResponseFields={"stop_sequence": None})
    )


def test_tokens_of_the_cache_are_part_of_the_input() -> None:
    counts = COUNTS | {"cacheReadInputTokens": 10, "cacheWriteInputTokens": 100}
    document, usage = completion(reply_of({"text": "x"}) | {"usage": counts}, HEAD)

    assert usage == Usage(113, 2, 10)
    assert document["usage"] == {
        "prompt_tokens": 113,
        "completion_tokens": 2,
        "total_tokens": 115,
        "prompt_tokens_details": {"cached_tokens": 10, "cache_creation_tokens": 100},
    }


@pytest.mark.parametrize("counts", [None, {}, {"inputTokens": None}, "many"])
def test_usage_that_is_not_told_is_none(counts: object) -> None:
    document, usage = completion(reply_of({"text": "x"}) | {"usage": counts}, HEAD)

    assert usage is None
    assert "usage" not in document


@pytest.mark.parametrize(
    "output", [None, {}, {"message": None}, {"message": {"content": "x"}}, {"message": {"content": [1]}}]
)
def test_reply_without_blocks_is_broken(output: object) -> None:
    with pytest.raises(ProviderFailed) as raised:
        completion({"output": output, "stopReason": "end_turn"}, HEAD)

    assert raised.value.failure.kind is FailureKind.BROKEN_REPLY


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAME = st.from_regex(r"[a-zA-Z0-9_-]{1,8}", fullmatch=True)
CALLS = st.lists(
    st.builds(ToolCall, NAME, NAME, st.dictionaries(TEXT, TEXT | st.integers() | st.none(), max_size=3)), max_size=3
)
SAID = st.builds(
    Said,
    TEXT,
    TEXT,
    CALLS.map(tuple),
    st.sampled_from(["stop", "length", "tool_calls", "content_filter"]),
    input_tokens=st.integers(10, 1000),
    cached_tokens=st.integers(0, 10),
)


@given(SAID, st.data())
def test_stream_however_fragmented_adds_up_to_the_whole_reply(said: Said, data: st.DataObject) -> None:
    (body,) = WIRE.whole(said, "m").pieces
    document, usage = completion(json.loads(body), HEAD)
    choices: Any = document["choices"]
    expected = choices[0]
    stream = b"".join(WIRE.stream(said, "m").pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))

    chunks, complete = chunks_of(stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True))
    told = put_together(chunks)

    assert complete
    assert [chunk.usage for chunk in chunks if chunk.usage] == [usage]
    assert told["usage"] == document["usage"]
    assert told["finish_reason"] == expected["finish_reason"]
    assert (told["message"]["content"] or None) == (expected["message"]["content"] or None)
    assert told["message"].get("reasoning_content") == expected["message"].get("reasoning_content")
    assert told["message"].get("thinking_blocks") == expected["message"].get("thinking_blocks")
    assert _calls(told["message"]) == _calls(expected["message"])


def test_stream_in_single_bytes_is_the_same_stream() -> None:
    stream = b"".join(WIRE.stream(Said("Grüße, 漢字 🌍", "hm", (ToolCall("a", "f", {"ü": "🌍"}),)), "m").pieces)

    assert chunks_of(bytes([byte]) for byte in stream) == chunks_of([stream])


def test_redacted_thoughts_of_a_stream_are_blocks_to_send_back() -> None:
    stream = event(
        "contentBlockDelta", {"delta": {"reasoningContent": {"redactedContent": "AAEC"}}, "contentBlockIndex": 0}
    )
    assert parsed_events(stream)[0]["contentBlockDelta"]["delta"] == {
        "reasoningContent": {"redactedContent": b"\0\1\2"}
    }

    assert put_together(chunks_of([stream])[0])["message"] == {
        "thinking_blocks": [{"type": "redacted_thinking", "data": "AAEC"}]
    }


def test_only_the_role_and_the_usage_are_no_content() -> None:
    chunks, _ = chunks_of(WIRE.stream(Said("Hi"), "m").pieces)

    assert [chunk.content for chunk in chunks] == [False, True, True, True, False]


def _calls(message: dict[str, Any]) -> list[Any]:
    calls = message.get("tool_calls", ())
    return [(call["id"], call["function"]["name"], json.loads(call["function"]["arguments"])) for call in calls]
