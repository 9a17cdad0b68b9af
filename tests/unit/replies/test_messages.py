"""Messages: kept whole, told as streams, and the same either way."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.output_count import written_characters
from application.replies.assemblies import assembly_for
from application.replies.assembly import keepable
from application.replies.replay import PIECE_CHARACTERS, replay
from domain.chat import Chunk, Endpoint, Reply, Usage
from tests.unit.providers.messages_via_chat.calls import rebuilt

USAGE = Usage(11, 7, 4)
COUNTS = {
    "input_tokens": 7,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 4,
    "output_tokens": 7,
}
TEXTS = st.builds(lambda text: {"type": "text", "text": text}, st.text(max_size=3 * PIECE_CHARACTERS))
THOUGHTS = st.builds(
    lambda text, signature: {"type": "thinking", "thinking": text, "signature": signature}, st.text(), st.text()
)
CALLS = st.builds(
    lambda given: {"type": "tool_use", "id": "t", "name": "look", "input": given},
    st.dictionaries(st.text(max_size=3), st.one_of(st.text(), st.integers(), st.none()), max_size=3),
)
HIDDEN = st.just({"type": "redacted_thinking", "data": "d"})


def whole(*content: dict[str, Any], reason: str = "end_turn", **more: Any) -> dict[str, Any]:
    return {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "model": "m",
        "content": list(content),
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": COUNTS,
        **more,
    }


def body(document: object) -> bytes:
    return json.dumps(document).encode()


def replayed(document: object) -> list[Chunk]:
    batches = replay(Endpoint.MESSAGES, body(document), USAGE, include_usage=False)
    return [chunk for batch in batches for chunk in batch]


def assembled(chunks: list[Chunk]) -> Reply | None:
    assembly = assembly_for(Endpoint.MESSAGES, 1 << 20)
    for chunk in chunks:
        assembly.add((chunk,))
    return assembly.reply()


@given(
    st.lists(TEXTS | THOUGHTS | CALLS | HIDDEN, min_size=1, max_size=4),
    st.sampled_from(["end_turn", "stop_sequence", "tool_use"]),
)
def test_a_replayed_message_is_the_same_to_the_client_and_to_the_next_cache(
    content: list[dict[str, Any]], reason: str
) -> None:
    document = whole(*content, reason=reason)
    chunks = replayed(document)

    shown = {name: value for name, value in document.items() if value is not None}
    assert rebuilt(chunks) == shown
    reply = assembled(chunks)
    assert reply is not None
    assert (json.loads(reply.body), reply.usage) == (document, USAGE)


def test_exactly_one_event_of_a_replay_tells_the_usage() -> None:
    assert [chunk.usage for chunk in replayed(whole({"type": "text", "text": "x"})) if chunk.usage] == [USAGE]


def test_no_event_of_a_replay_holds_more_than_a_piece() -> None:
    chunks = replayed(whole({"type": "text", "text": "x" * 5 * PIECE_CHARACTERS}))
    assert max(len(chunk.data) for chunk in chunks) < 2 * PIECE_CHARACTERS


TEXT = {"type": "text", "text": "x"}


@pytest.mark.parametrize("reason", ["end_turn", "stop_sequence", "tool_use"])
def test_a_message_that_says_all_may_be_kept(reason: str) -> None:
    assert keepable(Endpoint.MESSAGES, Reply(body(whole(TEXT, reason=reason))))


@pytest.mark.parametrize(
    "document",
    [
        whole(TEXT, reason="max_tokens"),
        whole(TEXT, reason="refusal"),
        whole(TEXT, reason="pause_turn"),
        whole(TEXT) | {"stop_reason": None},
        whole(),
        whole({"type": "text"}),
        whole({"type": "tool_use", "input": "{}"}),
        {"type": "error", "error": {"type": "api_error", "message": "x"}},
    ],
)
def test_a_message_that_was_cut_or_is_none_may_not(document: dict[str, Any]) -> None:
    assert not keepable(Endpoint.MESSAGES, Reply(body(document)))


def test_a_stream_that_was_cut_off_or_finished_early_is_not_kept() -> None:
    chunks = replayed(whole(TEXT))
    assert assembled(chunks) is not None
    assert assembled(chunks[:-1]) is None
    assert assembled(replayed(whole(TEXT, reason="max_tokens"))) is None


@pytest.mark.parametrize(
    "event",
    [
        {"type": "error", "error": {"message": "x"}},
        {"type": "content_block_delta", "index": 3, "delta": {"type": "text_delta", "text": "x"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": "{}"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "citations_delta", "citation": {}}},
        {"type": "content_block_start", "index": 0, "content_block": TEXT},
        {"type": "made_up"},
    ],
)
def test_a_stream_with_anything_uncertain_is_not_kept(event: dict[str, Any]) -> None:
    chunks = replayed(whole(TEXT))
    assert assembled([*chunks[:2], Chunk(body(event)), *chunks[2:]]) is None


def test_pings_do_not_matter() -> None:
    chunks = replayed(whole(TEXT))
    ping = Chunk(b'{"type":"ping"}', content=False)
    assert assembled([ping, chunks[0], ping, *chunks[1:]]) is not None


def test_a_message_larger_than_the_bound_is_not_kept() -> None:
    assembly = assembly_for(Endpoint.MESSAGES, 100)
    assembly.add(tuple(replayed(whole({"type": "text", "text": "x" * 200}))))
    assert assembly.reply() is None


def test_what_a_model_wrote_in_a_message_is_counted() -> None:
    call = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": "12345"}}
    thought = {"type": "thinking", "thinking": "abc", "signature": "s" * 99}
    assert written_characters(body(whole(TEXT, thought, call))) == 1 + 3 + len("look") + 5


def test_what_the_last_event_tells_beside_the_end_is_kept_and_told_there_again() -> None:
    document = whole({"type": "text", "text": "x"}, context_management={"applied_edits": [{"type": "clear_thinking"}]})
    chunks = replayed(document)

    events = [json.loads(chunk.data) for chunk in chunks]
    assert [event["type"] for event in events if "context_management" in event] == ["message_delta"]
    assert "context_management" not in events[0]["message"]
    reply = assembled(chunks)
    assert reply is not None
    assert json.loads(reply.body) == document
