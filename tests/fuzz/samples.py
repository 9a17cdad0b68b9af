"""Small real inputs, as providers write them."""

import json
from collections.abc import Iterable

from adapters.outbound.providers.bedrock.frames import EventFrames
from tests.wires.all_wires import WIRES
from tests.wires.wire import Refused, Said, ToolCall, Wire

BY_TYPE = {wire.name: wire for wire in WIRES}
_CALL = ToolCall("call_1", "weather", {"city": "Bonn"})
_SAID = (
    Said(text="one two"),
    Said(text="one", reasoning="so it is", cached_tokens=4),
    Said(calls=(_CALL,), finish="tool_calls"),
    Said(text="one", finish="length"),
)
_REFUSED = tuple(Refused(status, "no sk-of-the-instance", 3) for status in (400, 401, 403, 404, 429, 500, 503))
_EMBEDDED: dict[str, tuple[dict[str, object], ...]] = {
    "openai": ({"model": "m", "data": [{"embedding": [0.5], "index": 0}], "usage": {"prompt_tokens": 4}},),
    "bedrock": ({"embedding": [0.5], "inputTextTokenCount": 1}, {"embeddings": {"float": [[0.5]]}}),
    "gemini": ({"embeddings": [{"values": [0.5]}]},),
    "vertex": ({"predictions": [{"embeddings": {"values": [0.5], "statistics": {"token_count": 2}}}]},),
    "cohere": ({"embeddings": {"float": [[0.5]]}, "meta": {"billed_units": {"input_tokens": 2}}},),
}


def wholes(kind: str) -> list[bytes]:
    """Whole replies: chats, and embeddings where it has them."""
    chats = [b"".join(BY_TYPE[kind].whole(said, "theirs").pieces) for said in _SAID]
    return [*chats, *(json.dumps(each).encode() for each in _EMBEDDED.get(kind, ()))]


def streams(kind: str) -> list[bytes]:
    """Streams of chats; binary ones as the lines that `framed` takes."""
    wire: Wire = BY_TYPE[kind]
    replies = [wire.stream(said, "theirs").pieces for said in _SAID]
    return [_lines(pieces) if kind == "bedrock" else b"".join(pieces) for pieces in replies]


def refusals(kind: str) -> list[bytes]:
    """Bodies of errors."""
    return [b"".join(BY_TYPE[kind].refusal(refused).pieces) for refused in _REFUSED]


def _lines(messages: Iterable[bytes]) -> bytes:
    frames = EventFrames().feed(b"".join(messages))
    return b"\n".join(b"%b %b" % (frame.name.encode(), frame.payload) for frame in frames)
