"""What goes through the translation comes out as it went in, for any conversation and any answer."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.outbound.providers.anthropic.conversation import conversation
from tests.unit.providers.anthropic.asking import heard
from tests.unit.providers.anthropic.streaming import DIALECT, HEAD, chunks_of, put_together
from tests.wires.anthropic import AnthropicWire
from tests.wires.anthropic_reply import SIGNATURE
from tests.wires.wire import Finish, Said, ToolCall

WIRE = AnthropicWire()
MODEL = "claude-sonnet-4-6"

texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(lambda text: bool(text.strip()))
names = st.from_regex(r"[a-zA-Z0-9_-]{1,12}", fullmatch=True)
leaves = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts
inputs = st.dictionaries(texts, leaves | st.lists(leaves, max_size=2), max_size=3)
calls = st.builds(ToolCall, id=names, name=names, arguments=inputs)
several = st.lists(calls, max_size=3, unique_by=lambda call: call.id).map(tuple)
finishes: st.SearchStrategy[Finish] = st.sampled_from(("stop", "length", "tool_calls", "content_filter"))
answers = st.builds(
    Said,
    text=st.just("") | texts,
    reasoning=st.just("") | texts,
    calls=several,
    finish=finishes,
    input_tokens=st.integers(100, 10**6),
    output_tokens=st.integers(1, 10**5),
    cached_tokens=st.integers(0, 100),
) | texts.map(lambda sequence: Said(text="So", finish="stop_sequence", stop_sequence=sequence))


def message_of(said: Said) -> dict[str, Any]:
    calls_made = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": json.dumps(call.arguments)}}
        for call in said.calls
    ]
    return {"role": "assistant", "content": said.text or None, **({"tool_calls": calls_made} if calls_made else {})}


def whole(said: Said) -> dict[str, Any]:
    document, _ = DIALECT.completion(json.loads(WIRE.whole(said, MODEL).pieces[0]), HEAD)
    return json.loads(json.dumps(document))  # type: ignore[no-any-return]


@settings(max_examples=60)
@given(
    system=st.lists(texts, max_size=2),
    question=st.lists(texts, min_size=1, max_size=3),
    pictures=st.lists(st.sampled_from(["https://a.example/b.png", "data:image/webp;base64,AAAA"]), max_size=2),
    answer=answers,
    results=st.lists(texts, min_size=3, max_size=3),
    schema=st.none() | inputs,
    stop=st.lists(texts, max_size=2),
)
def test_the_provider_hears_what_the_client_said(
    system: list[str],
    question: list[str],
    pictures: list[str],
    answer: Said,
    results: list[str],
    schema: dict[str, Any] | None,
    stop: list[str],
) -> None:
    parts: list[dict[str, Any]] = [{"type": "text", "text": text} for text in question]
    shown: list[dict[str, Any]] = [{"type": "image_url", "image_url": {"url": url}} for url in pictures]
    answered = [
        {"role": "tool", "tool_call_id": call.id, "content": result}
        for call, result in zip(answer.calls, results, strict=False)
    ]
    messages = [
        *({"role": "system", "content": text} for text in system),
        {"role": "user", "content": parts + shown},
        message_of(answer),
        *answered,
        {"role": "user", "content": "Go on"},
    ]
    form = None if schema is None else {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}}

    told = heard(MODEL, messages=messages, response_format=form, stop=stop, temperature=0.5)

    assert told.system == "\n".join(system)
    turns = [("user", "".join(question)), ("assistant", answer.text), ("user", "Go on")]
    if not answer.text and not answer.calls:
        turns = [("user", "".join(question) + "Go on")]
    assert told.turns == tuple(turn for turn in turns if turn[1])
    assert told.images == tuple(pictures)
    assert told.calls == answer.calls
    assert told.results == tuple((call.id, result) for call, result in zip(answer.calls, results, strict=False))
    assert (told.schema, told.stop, told.temperature) == (schema, tuple(stop), 0.5)


@settings(max_examples=60)
@given(answers)
def test_the_client_is_told_what_the_provider_said(said: Said) -> None:
    document = whole(said)

    (choice,) = document["choices"]
    message = choice["message"]
    assert (message["content"] or "", message.get("reasoning_content", "")) == (said.text, said.reasoning)
    told = [
        ToolCall(call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
        for call in message.get("tool_calls", ())
    ]
    assert tuple(told) == said.calls
    assert choice["finish_reason"] == ("stop" if said.finish == "stop_sequence" else said.finish)
    assert choice.get("stop_sequence", "") == said.stop_sequence
    usage = document["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (said.input_tokens, said.output_tokens)
    assert usage["prompt_tokens_details"]["cached_tokens"] == said.cached_tokens


@settings(max_examples=60)
@given(answers)
def test_a_stream_put_together_is_the_whole_reply(said: Said) -> None:
    document = whole(said)
    (choice,) = document["choices"]

    streamed = put_together(chunks_of(WIRE.stream(said, MODEL).pieces))

    message = streamed["message"]
    assert (message["content"] or "", message["role"]) == (choice["message"]["content"] or "", "assistant")
    assert message.get("reasoning_content") == choice["message"].get("reasoning_content")
    thoughts = [{k: v for k, v in each.items() if k != "index"} for each in message.get("thinking_blocks") or ()]
    assert thoughts == choice["message"].get("thinking_blocks", [])
    assert [(call["id"], call["function"]["name"]) for call in message["tool_calls"] or ()] == [
        (call.id, call.name) for call in said.calls
    ]
    assert [json.loads(call["function"]["arguments"]) for call in message["tool_calls"] or ()] == [
        call.arguments for call in said.calls
    ]
    assert (streamed["finish_reason"], streamed["usage"]) == (choice["finish_reason"], document["usage"])


@settings(max_examples=15)
@given(answers)
def test_a_stream_cut_into_single_bytes_says_the_same(said: Said) -> None:
    pieces = WIRE.stream(said, MODEL).pieces
    single = [bytes((byte,)) for piece in pieces for byte in piece]

    assert chunks_of(single) == chunks_of(pieces) == chunks_of([b"".join(pieces)])


@settings(max_examples=60)
@given(answers)
def test_an_answer_shown_to_the_model_again_is_what_it_said(said: Said) -> None:
    (choice,) = whole(said)["choices"]
    original = json.loads(WIRE.whole(said, MODEL).pieces[0])["content"]

    _, turns = conversation([choice["message"]], drop_params=False)

    assert [block for turn in turns for block in turn["content"]] == original


def test_a_line_of_a_megabyte_is_one_event() -> None:
    said = Said(text="ü" * (1 << 20), reasoning="Long.")

    streamed = put_together(chunks_of(WIRE.stream(said, MODEL).pieces))["message"]

    assert streamed["content"] == said.text
    assert streamed["thinking_blocks"][0]["signature"] == SIGNATURE
