import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outbound.providers.gemini.reply import completion_of
from domain.chat import Chunk, Usage
from domain.failure import FailureKind, ProviderFailed
from tests.unit.providers.gemini.asking import HEAD, candidate, document, sse, streamed

USAGE = {"promptTokenCount": 9, "candidatesTokenCount": 5, "thoughtsTokenCount": 2, "cachedContentTokenCount": 4}
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
PARTS = st.one_of(
    TEXTS.map(lambda text: {"text": text}),
    TEXTS.map(lambda text: {"text": text, "thought": True}),
    st.builds(
        lambda name, args: {"functionCall": {"name": name, "args": args}},
        TEXTS,
        st.dictionaries(TEXTS, st.integers() | TEXTS, max_size=2),
    ),
)


def rebuilt(chunks: list[Chunk]) -> dict[int, dict[str, Any]]:
    """The message and finish reason of each choice, put together as a client does."""
    choices: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        for told in json.loads(chunk.data)["choices"]:
            choice = choices.setdefault(told["index"], {"content": "", "reasoning_content": "", "tool_calls": []})
            delta = told["delta"]
            choice["content"] += delta.get("content") or ""
            choice["reasoning_content"] += delta.get("reasoning_content") or ""
            choice["tool_calls"] += [
                {key: value for key, value in call.items() if key != "index"} for call in delta.get("tool_calls", [])
            ]
            if told["finish_reason"]:
                assert "finish" not in choice
                choice["finish"] = told["finish_reason"]
    return {index: choices[index] for index in sorted(choices)}


def whole_of(reply: dict[str, Any]) -> dict[int, dict[str, Any]]:
    completion, _ = completion_of(reply, HEAD)
    return {
        choice["index"]: {
            "content": choice["message"]["content"] or "",
            "reasoning_content": choice["message"].get("reasoning_content", ""),
            "tool_calls": choice["message"].get("tool_calls", []),
            "finish": choice["finish_reason"],
        }
        for choice in completion["choices"]
    }


@given(st.lists(PARTS, max_size=6), st.integers(1, 40))
def test_a_stream_rebuilt_from_its_deltas_is_the_whole_reply(parts: list[dict[str, object]], step: int) -> None:
    events = [document(candidate(part, finish=None)) for part in parts]
    wire = sse(*events, document(candidate(), usageMetadata=USAGE))

    chunks, translation = streamed(wire, step=step)

    assert translation.is_complete
    assert rebuilt(chunks) == whole_of(document(candidate(*parts)))
    assert [chunk.usage for chunk in chunks if chunk.usage] == [Usage(9, 7, 4)]


def test_a_stream_may_come_byte_by_byte() -> None:
    wire = sse(document(candidate({"text": "Zür"}, finish=None)), document(candidate({"text": "ich ☀️"})))
    chunks, _ = streamed(wire, step=1)
    assert rebuilt(chunks)[0]["content"] == "Zürich ☀️"


def test_an_event_of_a_megabyte_is_one_delta() -> None:
    text = "a" * (1 << 20)
    chunks, _ = streamed(sse(document(candidate({"text": text}))), step=1 << 16)
    assert rebuilt(chunks)[0]["content"] == text


def test_a_finish_reason_with_every_event_is_told_once_and_last() -> None:
    wire = sse(document(candidate({"text": "A"})), document(candidate({"text": "B"}, finish="MAX_TOKENS")))
    chunks, translation = streamed(wire)
    assert rebuilt(chunks)[0] == {"content": "AB", "reasoning_content": "", "tool_calls": [], "finish": "length"}
    assert translation.is_complete


def test_a_stream_is_not_complete_before_it_ends() -> None:
    _, translation = streamed(sse(document(candidate({"text": "A"}))), ended=False)
    assert not translation.is_complete


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        sse(document(candidate({"text": "A"}, finish=None))),
        sse(document(candidate({"text": "A"}), candidate({"text": "B"}, finish=None, index=1))),
    ],
)
def test_a_stream_that_ends_before_each_choice_is_finished_is_not_complete(wire: bytes) -> None:
    chunks, translation = streamed(wire)
    assert not translation.is_complete
    assert all(json.loads(chunk.data)["choices"][0]["finish_reason"] is None for chunk in chunks)


def test_choices_are_told_apart() -> None:
    wire = sse(
        document(candidate({"text": "A"}, finish=None), candidate({"text": "B"}, finish=None, index=1)),
        document(candidate({"functionCall": {"name": "f"}}, index=1), candidate(finish="SAFETY")),
    )
    first, second = rebuilt(streamed(wire)[0]).values()
    assert (first["content"], first["finish"]) == ("A", "content_filter")
    assert (second["content"], second["finish"]) == ("B", "tool_calls")


def test_a_role_is_no_output_and_usage_is_seen_by_who_asked() -> None:
    chunks, _ = streamed(sse(document(candidate({"text": "A"}), usageMetadata=USAGE)))
    role, text, finish, usage = chunks
    assert [chunk.content for chunk in chunks] == [False, True, True, False]
    assert json.loads(role.data)["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert json.loads(text.data)["choices"][0]["delta"] == {"content": "A"}
    assert json.loads(finish.data)["choices"][0]["finish_reason"] == "stop"
    assert usage.visible
    assert json.loads(usage.data)["usage"]["completion_tokens_details"] == {"reasoning_tokens": 2}


def test_a_signature_and_log_probabilities_ride_on_their_delta() -> None:
    result = {"chosenCandidates": [{"token": "A", "logProbability": -1}]}
    wire = sse(document(candidate({"text": "A", "thoughtSignature": "sig"}, logprobsResult=result)))
    choice = json.loads(streamed(wire)[0][1].data)["choices"][0]
    assert choice["delta"] == {"content": "A", "extra_content": {"google": {"thought_signature": "sig"}}}
    assert choice["logprobs"]["content"][0]["token"] == "A"


def test_a_prompt_that_was_blocked_is_a_refusal() -> None:
    chunks, translation = streamed(sse({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}))
    told = [json.loads(chunk.data)["choices"][0] for chunk in chunks]
    assert told[1]["delta"] == {"refusal": "the provider blocked the prompt: PROHIBITED_CONTENT"}
    assert (told[2]["finish_reason"], translation.is_complete) == ("content_filter", True)


@pytest.mark.parametrize(
    ("wire", "kind"),
    [
        (sse({"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}), FailureKind.SERVER_ERROR),
        (sse({"error": {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED"}}), FailureKind.RATE_LIMITED),
        (b'data: [{"error": {"code": 400, "message": "no"}}]\n\n', FailureKind.REQUEST_REFUSED),
        (sse({"error": "odd"}), FailureKind.SERVER_ERROR),
        (b"data: {\n\n", FailureKind.BROKEN_REPLY),
        (b"data: 1\n\n", FailureKind.BROKEN_REPLY),
        (sse(document(candidate(finish="MALFORMED_FUNCTION_CALL"))), FailureKind.BROKEN_REPLY),
    ],
)
def test_an_error_in_a_stream_is_a_failure(wire: bytes, kind: FailureKind) -> None:
    with pytest.raises(ProviderFailed) as raised:
        streamed(wire)
    assert raised.value.failure.kind is kind
