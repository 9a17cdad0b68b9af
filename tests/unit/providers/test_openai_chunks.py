import json
from typing import Any

import pytest

from adapters.outbound.providers.openai_chunks import ChunkRelay
from domain.chat import Chunk, Usage
from domain.failure import FailureKind, ProviderFailed
from domain.redaction import Redactor

HEAD = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o"}
TRICK = '"model":"gpt-4o" {"error":{}} "usage":{"prompt_tokens":9} "finish_reason":"stop"'


def event(
    delta: object = None, *, finish: str | None = None, separators: tuple[str, str] = (",", ":"), **more: object
) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return json.dumps({**HEAD, "choices": choices, **more}, separators=separators).encode()


def relay(*, choices: int = 1, usage_wanted: bool = False) -> ChunkRelay:
    return ChunkRelay("mine", Redactor(), choices=choices, usage_wanted=usage_wanted)


def renamed(data: bytes) -> object:
    return {**json.loads(data), "model": "mine"}


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_every_chunk_of_a_stream_has_the_clients_model(separators: tuple[str, str]) -> None:
    events = [
        event({"role": "assistant", "content": ""}, separators=separators),
        *(event({"content": text}, separators=separators) for text in ("Hi", TRICK, "", "€", '"', "\\")),
        event({"tool_calls": [{"index": 0, "function": {"arguments": json.dumps({"model": "gpt-4o"})}}]}),
        event({}, finish="stop", separators=separators),
        event(usage={"prompt_tokens": 1, "completion_tokens": 2}, separators=separators),
    ]
    one = relay()
    assert [json.loads(one.chunk(data).data) for data in events] == [renamed(data) for data in events]


def test_a_later_chunk_is_relayed_byte_for_byte() -> None:
    one = relay()
    one.chunk(event({"content": "a"}))
    later = event({"content": TRICK}, x_number=1e999)
    assert one.chunk(later) == Chunk(later.replace(b'"model":"gpt-4o"', b'"model":"mine"', 1))


@pytest.mark.parametrize(
    "data",
    [
        b'{"choices":[{"delta":{"content":"a"},"model":"inner"}],"model":"gpt-4o"}',
        rb'{"x":{"model":"gpt-4o"},"mod\u0065l":"gpt-4o","choices":[]}',
        b'{"model":{"name":"gpt-4o"},"choices":[]}',
        b'{"model":null,"choices":null}',
        b'{"id":"another","model":"other","choices":[{"delta":{"content":"a"}}]}',
        b'{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o","model":"gpt-4o","choices":[]}',
    ],
)
def test_a_chunk_of_another_shape_has_the_clients_model_too(data: bytes) -> None:
    one = relay()
    one.chunk(event({"content": "a"}))
    assert json.loads(one.chunk(data).data) == renamed(data)


def test_a_chunk_without_a_model_stays_as_it_is() -> None:
    data = b'{"choices": []}'
    assert relay().chunk(data).data == data


@pytest.mark.parametrize(
    ("delta", "finish", "content"),
    [
        ({"role": "assistant"}, None, False),
        ({"role": "assistant", "content": ""}, None, False),
        ({"role": "assistant", "content": None, "tool_calls": [], "refusal": None}, None, False),
        ({}, None, False),
        (None, None, False),
        ({"content": " "}, None, True),
        ({"reasoning_content": "hm"}, None, True),
        ({"refusal": "no"}, None, True),
        ({"tool_calls": [{"index": 0}]}, None, True),
        ({}, "stop", True),
        ({"role": "assistant", "content": ""}, "", False),
    ],
)
def test_content_is_what_commits_a_reply(delta: object, finish: str | None, *, content: bool) -> None:
    assert relay().chunk(event(delta, finish=finish)).content is content


def test_every_chunk_before_the_first_content_is_looked_at() -> None:
    one = relay()
    empty = event({"content": ""})
    assert [one.chunk(data).content for data in (empty, empty, event({"content": "a"}))] == [False, False, True]


def test_azures_opening_chunk_is_no_content() -> None:
    data = b'{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0}]}'
    assert relay().chunk(data) == Chunk(data.replace(b'"model":""', b'"model":"mine"'), content=False)


def test_text_of_a_completion_is_content() -> None:
    assert relay().chunk(b'{"choices":[{"text":"a"}]}').content
    assert not relay().chunk(b'{"choices":[{"text":""}]}').content


def test_a_usage_chunk_nobody_asked_for_is_hidden() -> None:
    one = relay()
    one.chunk(event({"content": "a"}, usage=None))
    chunk = one.chunk(event(usage={"prompt_tokens": 1, "completion_tokens": 2}))
    assert (chunk.usage, chunk.visible, chunk.content) == (Usage(1, 2), False, False)


def test_a_usage_chunk_the_client_asked_for_is_shown() -> None:
    chunk = relay(usage_wanted=True).chunk(event(usage={"prompt_tokens": 1, "completion_tokens": 2}))
    assert (chunk.usage, chunk.visible) == (Usage(1, 2), True)


def test_usage_beside_an_empty_last_delta_is_hidden_too() -> None:
    one = relay()
    one.chunk(event({"content": "a"}))
    chunk = one.chunk(event({"role": "assistant", "content": ""}, usage={"prompt_tokens": 1, "completion_tokens": 2}))
    assert (chunk.usage, chunk.visible) == (Usage(1, 2), False)


def test_usage_beside_the_opening_role_leaves_the_role_visible() -> None:
    chunk = relay().chunk(event({"role": "assistant"}, usage={"prompt_tokens": 1, "completion_tokens": 0}))
    assert chunk.visible


@pytest.mark.parametrize(
    "more",
    [
        {"usage": {"prompt_tokens": 1, "completion_tokens": 2}},
        {"x_groq": {"id": "x", "usage": {"prompt_tokens": 1, "completion_tokens": 2}}},
    ],
)
def test_usage_comes_along_with_the_finish_chunk(more: dict[str, Any]) -> None:
    one = relay()
    one.chunk(event({"content": "a"}))
    chunk = one.chunk(event({}, finish="stop", **more))
    assert (chunk.usage, chunk.visible, chunk.content) == (Usage(1, 2), True, True)


def test_all_choices_must_finish() -> None:
    one = relay(choices=2)
    one.chunk(event({"content": "a"}))
    one.chunk(event({}, finish="stop"))
    assert not one.all_finished
    one.chunk(json.dumps({**HEAD, "choices": [{"index": 1, "delta": {}, "finish_reason": "length"}]}).encode())
    assert one.all_finished


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b'{"error":{"message":"m","type":"server_error"}}', FailureKind.SERVER_ERROR),
        (
            b'{"error":{"message":"m","code":429},"choices":[{"index":0,"finish_reason":"error"}]}',
            FailureKind.RATE_LIMITED,
        ),
        (event({"content": ""}, error={"message": "m", "type": "server_error"}), FailureKind.SERVER_ERROR),
        (b'{"object":"error","message":"m","type":"BadRequestError","code":400}', FailureKind.REQUEST_REFUSED),
        (b"not json", FailureKind.BROKEN_REPLY),
        (b'{"cut":', FailureKind.BROKEN_REPLY),
        (b"[1]", FailureKind.BROKEN_REPLY),
        (b"17", FailureKind.BROKEN_REPLY),
        (b'{"choices":"junk"}', FailureKind.BROKEN_REPLY),
        (b'{"choices":["junk"]}', FailureKind.BROKEN_REPLY),
        (b"[" * 100_000, FailureKind.BROKEN_REPLY),
        (event({"content": "a"})[:-1], FailureKind.BROKEN_REPLY),
    ],
)
def test_an_event_that_is_no_chunk_is_a_failure(data: bytes, kind: FailureKind, *, committed: bool) -> None:
    one = relay()
    if committed:
        one.chunk(event({"content": "a"}))
    with pytest.raises(ProviderFailed) as failed:
        one.chunk(data)
    assert failed.value.failure.kind is kind


def test_a_cut_event_is_a_failure_even_where_it_looks_whole() -> None:
    one = relay()
    one.chunk(event({"content": "a"}))
    with pytest.raises(ProviderFailed):
        one.parsed_chunk(event({"content": "a"})[:-2])


PLAIN = [event({"content": text}) for text in ("Hi", TRICK, "€", '"', "}\\n", "\\")]
NOT_PLAIN = {
    "finish": event({}, finish="stop"),
    "usage": event({"content": "a"}, usage={"prompt_tokens": 1, "completion_tokens": 2}),
    "error": event({"content": "a"}, error={"message": "no"}),
    "another model": event({"content": "a"}, nested={"model": "gpt-4o"}),
    "another beginning": event({"content": "a"}).replace(b"chatcmpl-1", b"chatcmpl-2"),
    "the end": b"[DONE]",
    "a cut": event({"content": "a"})[:-1],
    "a line break": event({"content": "a"}).replace(b"}]", b"}\n]"),
    "a cut after a line break": event({"content": "a"}).replace(b"}]", b"}\n]")[:-1],
}


def test_events_of_mere_output_are_relayed_together_as_they_are_one_by_one() -> None:
    one, together = relay(), relay()
    one.chunk(PLAIN[0])
    together.chunk(PLAIN[0])

    assert together.relayed(PLAIN) == [one.chunk(data) for data in PLAIN]


@pytest.mark.parametrize("place", [0, 3, len(PLAIN)])
@pytest.mark.parametrize("odd", NOT_PLAIN.values(), ids=NOT_PLAIN)
def test_events_are_not_relayed_together_where_one_must_be_read(odd: bytes, place: int) -> None:
    one = relay()
    one.chunk(PLAIN[0])

    assert one.relayed([*PLAIN[:place], odd, *PLAIN[place:]]) == []


def test_nothing_is_relayed_together_before_the_first_output() -> None:
    one = relay()
    assert one.relayed(PLAIN) == []
    one.chunk(event({"role": "assistant", "content": ""}))
    assert one.relayed(PLAIN) == []
