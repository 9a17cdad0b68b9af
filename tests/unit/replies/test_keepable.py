import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.replies.assembly import keepable
from application.replies.whole_reply import choices_asked
from domain.chat import Endpoint, LlmRequest, Reply
from tests.unit.replies.replies import documents


@pytest.mark.parametrize("endpoint", [Endpoint.CHAT, Endpoint.COMPLETIONS])
@given(data=st.data())
@settings(max_examples=40)
def test_a_whole_reply_is_kept_where_every_choice_said_all(endpoint: Endpoint, data: st.DataObject) -> None:
    document = data.draw(documents(endpoint))
    assert keepable(endpoint, Reply(json.dumps(document).encode()))
    document["choices"][-1]["finish_reason"] = data.draw(st.sampled_from(["length", "content_filter", "", None, 1, []]))
    assert not keepable(endpoint, Reply(json.dumps(document).encode()))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        b'{"choices":[]}',
        b'{"choices":[1]}',
        b'{"choices":{"index":0}}',
        b'{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}]}',
        b'{"choices":[{"index":0,"message":{"content":["a"]},"finish_reason":"stop"}]}',
        b'{"choices":[{"index":0,"message":{"content":"a"},"delta":{},"finish_reason":"stop"}]}',
        b'{"choices":[{"index":0,"text":"a","finish_reason":"stop"}]}',
        b'{"error":{},"choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"}]}',
        b'{"choices":[' + b",".join([b'{"index":0,"message":{"content":"a"},"finish_reason":"stop"}'] * 2) + b"]}",
        b'{"choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"}],"n":NaN}',
    ],
)
def test_what_is_no_whole_reply_is_not_kept(text: bytes) -> None:
    assert not keepable(Endpoint.CHAT, Reply(text))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (b'{"data":[{"embedding":[0.5]}]}', True),
        (b' { "object" : "list", "data" : [ {"embedding":"AAAA"} ], "model": "m" } ', True),
        (b'{"usage":{"prompt_tokens":1},"data":[{"embedding":[0.5]}]}', True),
        (b'{"data":[]}', False),
        (b'{"data":[ ],"model":"m"}', False),
        (b'{"data":{}}', False),
        (b'{"x":{"data":[1]},"data":[]}', False),
        (b'{"data":[1],"error":"x"}', False),
        (b'{"data":[1],"error":null}', True),
        (b'[{"data":[1]}]', False),
        (b"", False),
    ],
)
def test_embeddings_are_kept_where_there_are_any(text: bytes, *, kept: bool) -> None:
    assert keepable(Endpoint.EMBEDDINGS, Reply(text)) is kept


@pytest.mark.parametrize(
    ("fields", "asked", "came", "kept"),
    [
        ({}, 1, 1, True),
        ({"n": 3}, 3, 3, True),
        ({"n": 3}, 3, 2, False),
        ({"n": None, "best_of": None}, 1, 1, True),
        # The best of 4 are 2: those that come.
        ({"n": 2, "best_of": 4}, 4, 2, True),
        ({"n": 2, "best_of": 4}, 4, 1, False),
        ({"n": 2, "best_of": 4, "prompt": ["a", "b", "c"]}, 12, 6, True),
        ({"n": 2, "best_of": 4, "prompt": ["a", "b", "c"]}, 12, 5, False),
    ],
)
def test_a_reply_is_kept_where_all_choices_came(
    fields: dict[str, object], asked: int, came: int, *, kept: bool
) -> None:
    llm = LlmRequest(Endpoint.COMPLETIONS, "gpt", b"", fields, choices=asked)
    choices = [{"index": index, "text": "a", "finish_reason": "stop"} for index in range(came)]
    assert keepable(llm.endpoint, Reply(json.dumps({"choices": choices}).encode()), choices_asked(llm)) is kept
