import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.replies.replay import PIECE_CHARACTERS, replay
from domain.chat import Chunk, Endpoint
from tests.unit.replies.replies import OBJECTS, USAGE, Json, assembled, documents

SPEAKING = [Endpoint.CHAT, Endpoint.COMPLETIONS]
WHOLE = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "logprobs": None, "finish_reason": "stop"}


def document(*choices: object, **more: object) -> Json:
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m", "choices": [*choices], **more}


def played(whole: Json, endpoint: Endpoint = Endpoint.CHAT, *, include_usage: bool = False) -> list[tuple[Json, bool]]:
    """Each chunk's JSON, and whether it is content."""
    batches = replay(endpoint, json.dumps(whole).encode(), USAGE, include_usage=include_usage)
    return [(json.loads(chunk.data), chunk.content) for batch in batches for chunk in batch]


def deltas(message: Json, **more: object) -> list[Any]:
    return [chunk["choices"][0]["delta"] for chunk, _ in played(document({**WHOLE, "message": message, **more}))]


@pytest.mark.parametrize("endpoint", SPEAKING)
@given(data=st.data(), include_usage=st.booleans())
def test_a_replay_says_the_same(endpoint: Endpoint, data: st.DataObject, *, include_usage: bool) -> None:
    whole = data.draw(documents(endpoint))
    batches = replay(endpoint, json.dumps(whole).encode(), USAGE, include_usage=include_usage)
    reply = assembled(endpoint, *batches)
    if not include_usage:
        del whole["usage"]
    assert reply is not None
    assert json.loads(reply.body) == whole
    assert reply.usage == (USAGE if include_usage else None)


@pytest.mark.parametrize("endpoint", SPEAKING)
@given(data=st.data())
@settings(max_examples=40)
def test_a_replay_that_breaks_off_is_no_reply(endpoint: Endpoint, data: st.DataObject) -> None:
    body = json.dumps(data.draw(documents(endpoint))).encode()
    chunks = [chunk for batch in replay(endpoint, body, USAGE, include_usage=False) for chunk in batch]
    cut = data.draw(st.integers(0, len(chunks) - 1))
    assert assembled(endpoint, tuple(chunks[:cut])) is None


@pytest.mark.parametrize("endpoint", SPEAKING)
@given(data=st.data())
@settings(max_examples=40)
def test_each_chunk_has_the_shape_of_its_kind(endpoint: Endpoint, data: st.DataObject) -> None:
    whole = data.draw(documents(endpoint))
    chunks = [chunk for chunk, _ in played(whole, endpoint)]
    kept = {name: whole[name] for name in whole if name not in {"choices", "usage"} and not name.startswith("reply_")}
    for chunk in chunks:
        assert {name: chunk.get(name) for name in kept} == kept | {"object": OBJECTS[endpoint]}
        assert "usage" not in chunk
        (part,) = chunk["choices"]
        assert set(part) >= {"index", "finish_reason", "delta" if endpoint is Endpoint.CHAT else "text"}
    opened = [chunk["choices"][0]["index"] for chunk in chunks[: len(whole["choices"])]]
    ended = [chunk["choices"][0] for chunk in chunks if chunk["choices"][0]["finish_reason"]]
    assert opened == [end["index"] for end in ended] == list(range(len(whole["choices"])))
    assert [end["finish_reason"] for end in ended] == [choice["finish_reason"] for choice in whole["choices"]]


def test_a_chat_reply_is_role_content_and_finish() -> None:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    nothing = {"index": 0, "logprobs": None, "finish_reason": None}
    assert played(document(WHOLE, usage={"prompt_tokens": 1})) == [
        ({**head, "choices": [{**nothing, "delta": {"role": "assistant", "content": ""}}]}, False),
        ({**head, "choices": [{**nothing, "delta": {"content": "Hi"}}]}, True),
        ({**head, "choices": [{**nothing, "delta": {}, "finish_reason": "stop"}]}, True),
    ]


def test_the_usage_comes_last_and_where_asked_for() -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": 11}
    body = json.dumps(document(WHOLE, usage=usage)).encode()
    (batch,) = replay(Endpoint.CHAT, body, USAGE, include_usage=True)
    told = [json.loads(chunk.data) for chunk in batch]
    assert [chunk["usage"] for chunk in told] == [None, None, None, usage]
    assert told[-1]["choices"] == []
    assert [chunk.usage for chunk in batch] == [None, None, None, USAGE]
    assert [chunk.content for chunk in batch] == [False, True, True, False]
    assert all(chunk.visible for chunk in batch)


def test_a_reply_without_usage_has_no_chunk_for_it() -> None:
    assert played(document(WHOLE), include_usage=True) == played(document(WHOLE))


def test_reasoning_comes_before_content_and_content_before_refusal() -> None:
    message = {"role": "assistant", "refusal": "c", "content": "b", "reasoning_content": "a", "x": [1]}
    opening, *said, _ = deltas(message)
    assert opening == {"role": "assistant", "refusal": "", "content": "", "reasoning_content": "", "x": [1]}
    assert said == [{"reasoning_content": "a"}, {"content": "b"}, {"refusal": "c"}]


def test_tool_calls_carry_their_index_and_their_arguments_in_pieces() -> None:
    long = "x" * (PIECE_CHARACTERS + 1)
    calls = [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": long}},
        {"id": "b", "type": "custom", "custom": {"name": "g", "input": "y"}},
    ]
    opening, *said, _ = deltas({"role": "assistant", "content": None, "tool_calls": calls})
    assert opening == {"role": "assistant", "content": None}
    function = {"name": "f", "arguments": long[:-1]}
    assert said == [
        {"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": function}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "x"}}]},
        {"tool_calls": [{"index": 1, **calls[1]}]},
    ]


def test_long_texts_come_in_pieces_that_are_whole_code_points() -> None:
    text = "a" + "😀" * 2 * PIECE_CHARACTERS
    pieces = [delta["content"] for delta in deltas({"content": text})[1:-1]]
    assert [len(piece) for piece in pieces] == [PIECE_CHARACTERS, PIECE_CHARACTERS, 1]
    assert "".join(pieces) == text


def test_logprobs_come_beside_the_text() -> None:
    logprobs = {"content": [{"token": str(number)} for number in range(100)], "refusal": None}
    chunks = played(document({**WHOLE, "logprobs": logprobs}))
    told = [chunk["choices"][0]["logprobs"] for chunk, _ in chunks]
    assert [len(one["content"]) if one else None for one in told] == [None, 64, 36, None]
    assert [entry for one in told if one for entry in one["content"]] == logprobs["content"]


def test_what_is_told_once_comes_once() -> None:
    chunks = [chunk for chunk, _ in played(document({**WHOLE, "stop_reason": 7}, citations=["a"]))]
    assert ["citations" in chunk for chunk in chunks] == [True, False, False]
    assert [chunk["choices"][0].get("stop_reason") for chunk in chunks] == [None, None, 7]


def test_a_large_reply_comes_in_more_than_one_batch() -> None:
    body = json.dumps(document({**WHOLE, "message": {"content": "x" * 100_000}})).encode()
    batches = replay(Endpoint.CHAT, body, None, include_usage=False)
    sizes = [sum(len(chunk.data) for chunk in batch) for batch in batches]
    assert len(sizes) == 4
    assert max(sizes) <= 32_768


def test_a_lone_surrogate_survives() -> None:
    body = b'{"choices":[{"index":0,"message":{"content":"\\ud83d"},"finish_reason":"stop"}]}'
    (batch,) = replay(Endpoint.CHAT, body, None, include_usage=False)
    assert b'"\\ud83d"' in batch[1].data


def test_halves_of_a_surrogate_pair_in_two_chunks_are_one_character() -> None:
    halves = [f'{{"choices":[{{"index":0,"delta":{{"content":"\\u{half}"}}}}]}}'.encode() for half in ("d83d", "de00")]
    end = b'{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'
    reply = assembled(Endpoint.CHAT, tuple(Chunk(data) for data in (*halves, end)))
    assert reply is not None
    assert json.loads(reply.body)["choices"][0]["message"]["content"] == "😀"


@pytest.mark.parametrize(
    ("endpoint", "whole"),
    [
        (Endpoint.EMBEDDINGS, {"data": [{"embedding": [0.5]}]}),
        (Endpoint.COMPLETIONS, document(WHOLE)),
        (Endpoint.CHAT, document()),
        (Endpoint.CHAT, document(WHOLE, error={"message": "no"})),
        (Endpoint.CHAT, document({**WHOLE, "finish_reason": None})),
        (Endpoint.CHAT, document({**WHOLE, "message": None})),
        (Endpoint.CHAT, document({**WHOLE, "index": None})),
        (Endpoint.CHAT, document(WHOLE, WHOLE)),
        (Endpoint.CHAT, []),
    ],
)
def test_what_is_no_reply_is_not_replayed(endpoint: Endpoint, whole: Any) -> None:
    with pytest.raises(ValueError, match="expected"):
        replay(endpoint, json.dumps(whole).encode(), None, include_usage=False)
