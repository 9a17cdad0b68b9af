"""A provider that says a reply in another way each time: pieces of any size, choices and members interleaved."""

import json
from typing import Any

from hypothesis import strategies as st

from domain.chat import Chunk, Endpoint
from tests.unit.replies.replies import OBJECTS, USAGE, Json

TEXTS = ("content", "refusal", "reasoning", "reasoning_content")
PADDING = st.fixed_dictionaries({}, optional={"obfuscation": st.text(max_size=4), "p": st.text(max_size=4)})


@st.composite
def pieces(draw: st.DrawFn, whole: Any) -> list[Any]:
    """Of a text or a list; at least one, and empty ones among them."""
    cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=3)))
    return [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]


@st.composite
def interleaved(draw: st.DrawFn, *tracks: list[Any]) -> list[Any]:
    """All items, each track in its own order."""
    turns = draw(st.permutations([number for number, track in enumerate(tracks) for _ in track]))
    each = [iter(track) for track in tracks]
    return [next(each[turn]) for turn in turns]


@st.composite
def call_deltas(draw: st.DrawFn, call: Json, index: int) -> list[Json]:
    again = st.fixed_dictionaries({}, optional={"id": st.sampled_from(["", call["id"]]), "type": st.just("function")})
    function = call["function"]
    deltas = [{**call, "index": index, "function": {**function, "arguments": ""}}]
    arguments = draw(pieces(function["arguments"]))
    deltas += [{"index": index, "function": {"arguments": piece}, **draw(again)} for piece in arguments]
    return [{"delta": {"tool_calls": [delta]}} for delta in deltas]


@st.composite
def deltas(draw: st.DrawFn, message: Json) -> list[Json]:
    opening = {name: value for name, value in message.items() if name in {"role", *TEXTS} and not value}
    tracks: list[list[Json]] = []
    for name, value in message.items():
        if name == "tool_calls":
            first = draw(st.integers(0, 1))  # some bridges count other items of the reply too
            tracks += [draw(call_deltas(call, index)) for index, call in enumerate(value, first)]
        elif name == "function_call":
            parts = [{"arguments": piece} for piece in draw(pieces(value["arguments"]))]
            tracks.append([{"delta": {name: part}} for part in [{"name": value["name"]}, *parts]])
        elif name in TEXTS and value:
            tracks.append([{"delta": {name: piece}} for piece in draw(pieces(value))])
        elif name not in {"role", *TEXTS}:
            tracks.append([{"delta": {name: value}}])
    return [{"delta": {"role": "assistant", **opening}}, *draw(interleaved(*tracks))]


@st.composite
def parts(draw: st.DrawFn, choice: Json) -> list[Json]:
    """One choice in the order in which it is said."""
    said: list[Json]
    nothing: Json
    if "message" in choice:
        said, nothing = draw(deltas(choice["message"])), {"delta": {}}
    else:
        said, nothing = [{"text": piece} for piece in draw(pieces(choice["text"]))], {"text": ""}
    others = [
        {**nothing, name: value}
        for name, value in choice.items()
        if name not in {"message", "text", "index", "finish_reason", "logprobs"}
    ]
    logprobs = draw(logprob_parts(choice["logprobs"])) if "logprobs" in choice else []
    said = draw(interleaved(said, others, [{**nothing, "logprobs": one} for one in logprobs]))
    last = {**nothing, "finish_reason": choice["finish_reason"]}
    return [{"index": choice["index"], "finish_reason": None, **part} for part in [*said, last]]


@st.composite
def logprob_parts(draw: st.DrawFn, logprobs: Json | None) -> list[Json | None]:
    if logprobs is None:
        return [None]
    length = max((len(value) for value in logprobs.values() if value), default=0)
    cuts = sorted(draw(st.lists(st.integers(0, length), max_size=3)))
    return [
        {name: value and value[start:end] for name, value in logprobs.items()}
        for start, end in zip([0, *cuts], [*cuts, length], strict=True)
    ]


@st.composite
def streams(draw: st.DrawFn, endpoint: Endpoint, document: Json) -> list[tuple[Chunk, ...]]:
    """With the usage in a chunk that the client did not ask for, and signs of life."""
    once = {name: value for name, value in document.items() if name not in {"choices", "usage", "object"}}
    head = {name: value for name, value in once.items() if not name.startswith("reply_")}
    head["object"] = OBJECTS[endpoint]
    said = draw(interleaved(*[draw(parts(choice)) for choice in document["choices"]]))
    bodies = [{**head, "choices": [part], **draw(PADDING)} for part in said]
    bodies[draw(st.integers(0, len(bodies) - 1))] |= {**once, "object": OBJECTS[endpoint]}
    chunks = [Chunk(json.dumps(body).encode()) for body in bodies]
    chunks.insert(draw(st.integers(0, len(chunks))), Chunk(b"", content=False, visible=False))
    usage = json.dumps({**head, "choices": [], "usage": document["usage"]}).encode()
    chunks.append(Chunk(usage, content=False, usage=USAGE, visible=False))
    cut = draw(st.integers(0, len(chunks)))
    return [tuple(chunks[:cut]), tuple(chunks[cut:])]
