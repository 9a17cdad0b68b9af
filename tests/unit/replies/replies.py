"""Whole replies of every shape, and the streams that a provider could have sent in their place."""

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from application.replies.assembly import ReplyAssembly
from domain.chat import Chunk, Endpoint, Reply, Usage

Json = dict[str, Any]
USAGE = Usage(7, 11)
OBJECTS: Mapping[Endpoint, str] = {Endpoint.CHAT: "chat.completion.chunk", Endpoint.COMPLETIONS: "text_completion"}

# Every code point, lone surrogates too. Some longer than a piece of a replay.
texts = st.builds(
    lambda text, times: text * times, st.text(st.characters(exclude_categories=())), st.sampled_from([1, 1, 1, 700])
)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def unknown(prefix: str) -> st.SearchStrategy[Json]:
    names = st.sampled_from([f"{prefix}_a", f"{prefix}_b", f"{prefix}_c"])
    return st.dictionaries(names, values, max_size=2)


functions = st.fixed_dictionaries({"name": st.text(min_size=1), "arguments": texts})


@st.composite
def messages(draw: st.DrawFn) -> tuple[Json, str]:
    """With what it is finished for."""
    message: Json = {"role": "assistant", "content": draw(st.none() | texts), **draw(unknown("message"))}
    for name in ("refusal", "reasoning", "reasoning_content"):
        if draw(st.booleans()):
            message[name] = draw(st.none() | texts)
    calls = draw(st.lists(st.tuples(functions, unknown("call")), max_size=3))
    if calls:
        message["tool_calls"] = [
            {"id": f"call_{number}", "type": "function", "function": function, **more}
            for number, (function, more) in enumerate(calls)
        ]
    elif draw(st.booleans()):
        message["function_call"] = draw(functions)
        return message, draw(st.sampled_from(["stop", "function_call"]))
    if not any(value for name, value in message.items() if name != "role"):
        message["content"] = "x"
    return message, draw(st.sampled_from(["stop", "tool_calls"])) if calls else "stop"


entries = st.lists(st.fixed_dictionaries({"token": st.text(max_size=3), "logprob": numbers}), max_size=3)
chat_logprobs = st.fixed_dictionaries({"content": st.none() | entries, "refusal": st.none() | entries})


@st.composite
def text_logprobs(draw: st.DrawFn) -> Json:
    count = draw(st.sampled_from([0, 1, 3, 200]))
    top = draw(st.booleans())
    return {
        "tokens": ["a"] * count,
        "token_logprobs": [None, *(-0.5 for _ in range(count))][:count],
        "top_logprobs": [{"a": -0.5}] * count if top else None,
        "text_offset": list(range(count)),
    }


@st.composite
def choices(draw: st.DrawFn, endpoint: Endpoint, index: int) -> Json:
    choice: Json = {"index": index, **draw(unknown("choice"))}
    if endpoint is Endpoint.CHAT:
        choice["message"], choice["finish_reason"] = draw(messages())
        logprobs = chat_logprobs
    else:
        choice |= {"text": draw(texts) or "x", "finish_reason": "stop"}
        logprobs = text_logprobs()
    if draw(st.booleans()):
        choice["logprobs"] = draw(st.none() | logprobs)
    return choice


@st.composite
def documents(draw: st.DrawFn, endpoint: Endpoint) -> Json:
    """As it parses from JSON: two escapes of surrogates, side by side, are one code point."""
    count = draw(st.integers(1, 3))
    document = {
        "id": "chatcmpl-1",
        "object": "chat.completion" if endpoint is Endpoint.CHAT else "text_completion",
        "created": 1_741_570_283,
        "model": "gpt-4o",
        **draw(unknown("reply")),
        "choices": [draw(choices(endpoint, index)) for index in range(count)],
        "usage": {"prompt_tokens": 7, "completion_tokens": 11, "total_tokens": 18},
    }
    for name in ("system_fingerprint", "service_tier"):
        if draw(st.booleans()):
            document[name] = draw(st.none() | st.just("default"))
    parsed: Json = json.loads(json.dumps(document))
    return parsed


def assembled(endpoint: Endpoint, *batches: tuple[Chunk, ...]) -> Reply | None:
    assembly = ReplyAssembly(endpoint, 1 << 26)
    for batch in batches:
        assembly.add(batch)
    return assembly.reply()


def event(*parts: Json, endpoint: Endpoint = Endpoint.CHAT, **more: object) -> Chunk:
    """A chunk as OpenAI sends it."""
    head = {"id": "chatcmpl-1", "object": OBJECTS[endpoint], "created": 1_741_570_283, "model": "gpt-4o"}
    return Chunk(json.dumps({**head, "choices": parts, **more}).encode())


def part(delta: Json, finish_reason: str | None = None, *, index: int = 0, **more: object) -> Json:
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish_reason, **more}
