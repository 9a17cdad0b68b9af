import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.replies.assembly import keepable
from domain.chat import Endpoint, Reply
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
