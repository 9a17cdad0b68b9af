import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.replies.assembly import ReplyAssembly
from domain.chat import Chunk, Endpoint, Usage
from tests.examples import examples
from tests.unit.replies.replies import USAGE, Json, assembled, documents, event, part
from tests.unit.replies.streams import streams

SPEAKING = [Endpoint.CHAT, Endpoint.COMPLETIONS]
HI = (event(part({"role": "assistant", "content": ""})), event(part({"content": "Hi"})))
END = event(part({}, "stop"))


def body(*chunks: Chunk) -> Any:
    reply = assembled(Endpoint.CHAT, chunks)
    return None if reply is None else json.loads(reply.body)


def message(*deltas: Json, finish_reason: str = "stop") -> Any:
    document = body(*(event(part(delta)) for delta in deltas), event(part({}, finish_reason)))
    return None if document is None else document["choices"][0]["message"]


def call(index: int = 0, **more: object) -> Json:
    return {"tool_calls": [{"index": index, **more}]}


@pytest.mark.parametrize("endpoint", SPEAKING)
@given(data=st.data())
@settings(max_examples=examples(120))
def test_a_stream_in_any_pieces_is_the_reply(endpoint: Endpoint, data: st.DataObject) -> None:
    document = data.draw(documents(endpoint))
    reply = assembled(endpoint, *data.draw(streams(endpoint, document)))
    assert reply is not None
    assert json.loads(reply.body) == document
    assert reply.usage == USAGE


@pytest.mark.parametrize("endpoint", SPEAKING)
@given(data=st.data())
@settings(max_examples=40)
def test_a_stream_cut_inside_a_chunk_is_no_reply(endpoint: Endpoint, data: st.DataObject) -> None:
    chunks = [chunk for batch in data.draw(streams(endpoint, data.draw(documents(endpoint)))) for chunk in batch]
    at = data.draw(st.sampled_from([number for number, chunk in enumerate(chunks) if chunk.data]))
    cut = chunks[at].data[: data.draw(st.integers(1, len(chunks[at].data) - 1))]
    assert assembled(endpoint, (*chunks[:at], chunks[at]._replace(data=cut))) is None


def test_a_reply_has_what_a_whole_one_has() -> None:
    first = event(part({"role": "assistant", "content": "", "refusal": None}), service_tier="auto", obfuscation="a")
    usage = {"prompt_tokens": 7, "completion_tokens": 11}
    told = event(usage=usage, service_tier="default", system_fingerprint="fp")._replace(usage=USAGE, visible=False)
    reply = assembled(Endpoint.CHAT, (first,), (event(part({"content": "Hi"}), usage=None, p="b"), END), (told,))
    assert reply is not None
    assert reply.usage == USAGE
    said = {"role": "assistant", "content": "Hi", "refusal": None}
    assert json.loads(reply.body) == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_741_570_283,
        "model": "gpt-4o",
        "service_tier": "default",
        "system_fingerprint": "fp",
        "choices": [{"index": 0, "message": said, "logprobs": None, "finish_reason": "stop"}],
        "usage": usage,
    }


def test_role_and_content_are_there_although_no_chunk_tells_them() -> None:
    whole = message(call(id="a", function={"name": "f", "arguments": "{}"}), finish_reason="tool_calls")
    function = {"name": "f", "arguments": "{}"}
    tool_call = {"id": "a", "type": "function", "function": function}
    assert whole == {"role": "assistant", "content": None, "tool_calls": [tool_call]}


@pytest.mark.parametrize("again", [{}, {"id": "", "type": "function"}, {"id": "a", "type": None}])
def test_tool_calls_may_tell_their_identity_again(again: Json) -> None:
    first = call(id="a", type="function", function={"name": "f", "arguments": "{"})
    whole = message(first, call(**again, function={"arguments": "}"}), finish_reason="tool_calls")
    assert whole["tool_calls"] == [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}]


def test_tool_calls_are_in_order_of_their_index() -> None:
    later, earlier = (call(n, id=f"{n}", type="function", function={"name": "f", "arguments": ""}) for n in (2, 1))
    whole = message(later, earlier, finish_reason="tool_calls")
    assert [one["id"] for one in whole["tool_calls"]] == ["1", "2"]


def test_a_server_that_tells_the_time_of_each_chunk_is_understood() -> None:
    assert body(*HI, event(part({}, "stop"), created=99))["created"] == 1_741_570_283


def test_azures_opening_without_choices_is_understood() -> None:
    filtered = [{"prompt_index": 0}]
    opening = event(id="", created=0, model="", object="", prompt_filter_results=filtered)
    safe = {"hate": {"filtered": False}}
    parts = [part({"content": text}, content_filter_results=safe) for text in "Hi"]
    document = body(opening, *map(event, parts), event(part({}, "stop", content_filter_results={})))
    assert document["prompt_filter_results"] == filtered
    assert (document["id"], document["created"], document["model"]) == ("chatcmpl-1", 1_741_570_283, "gpt-4o")
    assert document["choices"][0]["content_filter_results"] == safe
    assert document["choices"][0]["message"]["content"] == "Hi"


def test_groqs_usage_is_the_replys() -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": 11}
    last = event(part({}, "stop"), x_groq={"id": "req_1", "usage": usage})._replace(usage=USAGE)
    document = body(event(part({"content": "Hi"}), x_groq={"id": "req_1", "seed": 1}), last)
    assert document["usage"] == usage
    assert document["x_groq"] == {"id": "req_1", "seed": 1}


def test_the_last_usage_counts() -> None:
    chunks = [
        event(part({"content": "Hi"}, "stop"), usage={"prompt_tokens": 1})._replace(usage=Usage(1, 0)),
        event(usage={"prompt_tokens": 2})._replace(usage=Usage(2, 0)),
    ]
    reply = assembled(Endpoint.CHAT, tuple(chunks))
    assert reply is not None
    assert reply.usage == Usage(2, 0)
    assert json.loads(reply.body)["usage"] == {"prompt_tokens": 2}


def test_a_role_said_again_after_the_end_changes_nothing() -> None:
    assert body(*HI, END, event(part({"role": "assistant", "content": ""})), event(part({}, "stop"))) == body(*HI, END)


@pytest.mark.parametrize("reason", ["length", "content_filter", "error", "", None, 1])
def test_a_stream_that_is_not_finished_is_not_kept(reason: Any) -> None:
    assert body(*HI, event(part({}, reason))) is None


@pytest.mark.parametrize(
    "chunks",
    [
        [],
        [END],
        [event(part({"role": "assistant", "content": ""})), END],
        [*HI, END, event(error={"message": "overloaded"})],
        [*HI, END, Chunk(b'{"error":')],
        [*HI, END, Chunk(b"[]")],
        [*HI, END, Chunk(b'{"n":NaN}')],
        [*HI, END, Chunk(b'{"n":1e999}')],
        [*HI, END, Chunk(b'{"n":"\xff"}')],
        [*HI, END, Chunk(b'{"n":' + b"[" * 100_000)],
        [*HI, END, event(id="chatcmpl-2")],
        [*HI, END, event(model="other")],
        [*HI, END, event(part({"content": "more"}))],
        [*HI, END, event(part({}, "tool_calls"))],
        [*HI, END, event(part({"content": "Hi"}, index=1))],
        [*HI, END, event(part({"content": "Hi"}, "stop", index=2))],
        [*HI, event({"delta": {}, "finish_reason": "stop"})],
        [*HI, event(part({}, "stop", index=True))],
        [*HI, event(part({}, "stop", message={"content": "Hi"}))],
        [*HI, event(part({}, "tool_calls"))],
        [*HI, event({"index": 0, "delta": "Hi", "finish_reason": "stop"})],
        [*HI, event({"index": 0, "delta": {}, "logprobs": [], "finish_reason": "stop"})],
        [*HI, event(choices={}), END],
        [event(part({"content": [{"type": "text", "text": "Hi"}]})), END],
        [event(part({"role": role, "content": "Hi"})) for role in ("assistant", "tool")] + [END],
        [event(part({"x": "a", "content": "Hi"})), event(part({"x": "a"})), END],
        [event(part({"x": [1], "content": "Hi"})), event(part({"x": [2]})), END],
        [event(part({"content": "Hi"}, token_ids=[1])), event(part({}, token_ids=[1])), END],
        [
            event(part({"content": "Hi"}, content_filter_results={"a": 1})),
            event(part({}, content_filter_results=1)),
            END,
        ],
        [event(part({"content": "Hi"}), citations=["a"]), event(citations=["b"]), END],
    ],
)
def test_what_cant_be_put_together_is_not_kept(chunks: list[Chunk]) -> None:
    assert body(*chunks) is None


@pytest.mark.parametrize(
    "deltas",
    [
        [call(id="a", function={"name": "f", "arguments": ""}), call(id="b")],
        [call(id="a", function={"name": "f", "arguments": ""}), call(function={"name": "f"})],
        [call(id="a", function={"name": "f", "arguments": ""}), call(type="custom")],
        [call(id="a", function={"name": "f", "arguments": {}})],
        [call(id="a", function={"name": "f"})],
        [call(id="a", function={"arguments": "{}"})],
        [call(id="a", function="f")],
        [call(id="a")],
        [call(function={"name": "f", "arguments": "{}"})],
        [{"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"}}]}],
        [{"tool_calls": {"index": 0}}],
        [{"tool_calls": ["a"]}],
        [{"function_call": {"name": "f"}}, {"function_call": {"name": "g", "arguments": ""}}],
    ],
)
def test_tool_calls_that_cant_be_put_together_are_not_kept(deltas: list[Json]) -> None:
    assert message({"content": "Hi"}, *deltas) is None


def test_members_that_come_once_are_kept() -> None:
    document = body(
        event(part({"content": "Hi", "x": [], "y": False}), provider="one"),
        event(part({"x": ["a"], "y": False}, "stop", stop_reason=7), provider="one", timings={"a": 1}),
    )
    choice = document["choices"][0]
    assert choice["message"] == {"role": "assistant", "content": "Hi", "x": ["a"], "y": False}
    assert choice["stop_reason"] == 7
    assert (document["provider"], document["timings"]) == ("one", {"a": 1})


def test_text_offsets_that_begin_again_are_not_kept() -> None:
    logprobs = {"tokens": ["a"], "text_offset": [3]}
    chunks = [
        event({"index": 0, "text": "a", "logprobs": logprobs, "finish_reason": reason}, endpoint=Endpoint.COMPLETIONS)
        for reason in (None, "stop")
    ]
    assert assembled(Endpoint.COMPLETIONS, tuple(chunks)) is not None
    again = json.dumps(json.loads(chunks[1].data)).replace("[3]", "[0]").encode()
    assert assembled(Endpoint.COMPLETIONS, (chunks[0], Chunk(again))) is None


def test_embeddings_have_no_stream() -> None:
    assembly = ReplyAssembly(Endpoint.EMBEDDINGS)
    assert assembly.gave_up
    assembly.add((*HI, END))
    assert assembly.reply() is None
