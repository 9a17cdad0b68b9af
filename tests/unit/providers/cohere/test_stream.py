import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionChunk

from adapters.outbound.providers.cohere.stream import CohereTranslation
from domain.chat import Usage
from domain.failure import FailureKind, ProviderFailed
from tests.unit.providers.cohere.replying import HEAD, REDACTOR, answered, chunks, rebuilt, translated, whole
from tests.wires import cohere_reply
from tests.wires.wire import Said, ToolCall

TEXTS = st.text(max_size=12)
CALLS = st.lists(
    st.builds(ToolCall, st.sampled_from(["c1", "c2"]), st.just("look"), st.dictionaries(TEXTS, TEXTS, max_size=2)),
    max_size=3,
).map(tuple)
SAID = st.builds(
    Said,
    text=TEXTS,
    reasoning=TEXTS,
    calls=CALLS,
    finish=st.sampled_from(["stop", "length", "tool_calls", "stop_sequence", "content_filter"]),
    input_tokens=st.integers(5, 10**6),
    output_tokens=st.integers(0, 10**6),
    cached_tokens=st.integers(0, 5),
)
FULL = Said(text="Größe 😀", reasoning="Let me see", calls=(ToolCall("c1", "look", {"at": "é"}),), cached_tokens=3)
START = {"type": "message-start", "delta": {"message": {"role": "assistant"}}}
END = {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": None}}


def told(*events: dict[str, Any]) -> list[dict[str, Any]]:
    """The deltas of these events, between the first and the last."""
    made = chunks([START, *events, END])
    return [json.loads(chunk.data)["choices"][0]["delta"] for chunk in made][1:-1]


def failure(event: object) -> Any:
    translation = CohereTranslation(HEAD, REDACTOR, usage_wanted=False)
    with pytest.raises(ProviderFailed) as raised:
        translation.chunks(event if isinstance(event, bytes) else json.dumps(event).encode())
    return raised.value.failure


@given(SAID)
def test_a_stream_adds_up_to_the_whole_answer(said: Said) -> None:
    assert rebuilt(chunks(cohere_reply.events(said))) == answered(said)


def test_a_stream_that_arrives_byte_by_byte_is_the_same() -> None:
    sent = b"".join(cohere_reply.sse(event) for event in cohere_reply.events(FULL))

    assert translated([bytes([byte]) for byte in sent]) == translated([sent])


def test_every_chunk_is_openais() -> None:
    made = chunks(cohere_reply.events(FULL))

    for chunk in made:
        ChatCompletionChunk.model_validate_json(chunk.data)
    assert not made[0].content
    assert [chunk.usage for chunk in made if chunk.usage is not None] == [Usage(11, 7, 3)]


def test_usage_is_seen_only_by_who_asked_for_it() -> None:
    events = cohere_reply.events(FULL)

    assert chunks(events)[-1].visible
    assert not chunks(events, usage_wanted=False)[-1].visible


def test_a_call_without_arguments_has_an_empty_object() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "now"}}
    begun = {"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": call}}}

    first, second = told(begun, {"type": "tool-call-end", "index": 0})

    assert first["tool_calls"][0]["function"] == {"name": "now", "arguments": ""}
    assert second["tool_calls"] == [{"index": 0, "function": {"arguments": "{}"}}]


def test_arguments_that_come_with_the_start_are_kept_and_not_doubled() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "now", "arguments": '{"a":1}'}}
    begun = {"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": call}}}

    (only,) = told(begun, {"type": "tool-call-end", "index": 0})

    assert only["tool_calls"][0]["function"]["arguments"] == '{"a":1}'


def test_citations_and_log_probabilities_come_as_in_the_whole_answer() -> None:
    cited = {"start": 0, "end": 2, "text": "Ye", "sources": [{"type": "tool", "id": "c1:0"}]}
    items = [{"text": text, "token_ids": [1], "logprobs": [-0.5]} for text in ("Ye", "s")]
    message = {"role": "assistant", "content": [{"type": "text", "text": "Yes"}], "citations": [cited]}
    deltas = [
        {"type": "content-delta", "delta": {"message": {"content": {"text": item["text"]}}}, "logprobs": item}
        for item in items
    ]
    citation = {"type": "citation-start", "index": 0, "delta": {"message": {"citations": cited}}}

    made = chunks([START, *deltas, citation, {"type": "citation-end", "index": 0}, END])

    assert rebuilt(made) == whole({"message": message, "logprobs": items, "finish_reason": "COMPLETE"})


def test_a_piece_without_text_keeps_its_log_probabilities() -> None:
    item = {"text": "", "token_ids": [1], "logprobs": [-0.5]}
    event = {"type": "content-delta", "delta": {"message": {"content": {"text": ""}}}, "logprobs": item}

    assert told(event) == [{"content": ""}]


@pytest.mark.parametrize(
    "event",
    [
        {"type": ["unheard", "of"]},
        {"type": "debug", "prompt": "…"},
        {"type": "something-new", "delta": {}},
        {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}},
        {"type": "content-end", "index": 0},
        {"type": "content-delta"},
        {"type": "content-delta", "delta": {"message": {"content": None}}},
        {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": ""}}},
        {"type": "tool-call-end", "index": 0},
        {"type": "tool-call-delta", "delta": {"message": {"tool_calls": {"function": {"arguments": ""}}}}},
        {"type": "citation-start", "delta": {"message": {}}},
    ],
)
def test_what_says_nothing_makes_no_chunk(event: dict[str, Any]) -> None:
    assert told(event) == []


@pytest.mark.parametrize(
    ("event", "kind", "message"),
    [
        (b"{", FailureKind.BROKEN_REPLY, "not JSON"),
        (b"[" * 100_000, FailureKind.BROKEN_REPLY, "not JSON"),
        (b"[]", FailureKind.BROKEN_REPLY, "no JSON object"),
        ({"message": "the-secret-key is down"}, FailureKind.SERVER_ERROR, r"^\[redacted\] is down$"),
        ({"type": "tool-call-start", "delta": {}}, FailureKind.BROKEN_REPLY, "tool call"),
        (
            {"type": "tool-call-delta", "delta": {"message": {"tool_calls": {"function": {"arguments": "{"}}}}},
            FailureKind.BROKEN_REPLY,
            "not begun",
        ),
        ({"type": "message-end"}, FailureKind.BROKEN_REPLY, "without saying how"),
        ({"type": "message-end", "delta": {"finish_reason": "TIMEOUT"}}, FailureKind.TIMEOUT, "timeout"),
        (
            {"type": "message-end", "delta": {"finish_reason": "ERROR", "error": "the-secret-key broke"}},
            FailureKind.SERVER_ERROR,
            r"^\[redacted\] broke$",
        ),
        ({"type": "message-end", "delta": {"finish_reason": "ERROR"}}, FailureKind.SERVER_ERROR, "without saying"),
    ],
)
def test_an_event_that_is_an_error_or_nonsense_is_a_failure(event: object, kind: FailureKind, message: str) -> None:
    failed = failure(event)

    assert failed.kind is kind
    assert re.search(message, failed.message)


def test_a_stream_is_not_complete_before_it_says_so() -> None:
    translation = CohereTranslation(HEAD, REDACTOR, usage_wanted=False)
    for event in cohere_reply.events(FULL)[:-1]:
        translation.chunks(json.dumps(event).encode())
        assert not translation.is_complete
