"""Replies in OpenAI's wire format, as bytes. Every text names the lane (the upstream's model) that produced it."""

import base64
import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.e2e import responses_wire
from tests.e2e.behaviour import Behaviour

CREATED_S = 1_700_000_000
INPUT_TOKENS = 11
VECTOR = (0.25, -0.5, 1.0)
DONE = b"data: [DONE]\n\n"
ERROR_EVENT = b'data: {"error":{"message":"scripted stream failure","type":"server_error","code":null}}\n\n'


@dataclass(frozen=True, slots=True)
class Ask:
    """What of a request decides the reply's shape."""

    endpoint: str
    model: str
    stream: bool = False
    stream_usage: bool = False
    vectors_base64: bool = False
    inputs: int = 1


def piece(lane: str, index: int, pad_bytes: int = 0, mark: str = "") -> str:
    """The text of one content chunk."""
    return f"{mark}{lane}-{index} ".ljust(pad_bytes, "x")


def whole_text(lane: str, behaviour: Behaviour) -> str:
    """The text of a complete reply."""
    return "".join(piece(lane, index, behaviour.pad_bytes, behaviour.mark) for index in range(behaviour.chunks))


def usage_of(behaviour: Behaviour) -> dict[str, object]:
    """Tokens: constant input, one output token a chunk."""
    return {
        "prompt_tokens": INPUT_TOKENS,
        "completion_tokens": behaviour.chunks,
        "total_tokens": INPUT_TOKENS + behaviour.chunks,
        "prompt_tokens_details": {"cached_tokens": 3},
    }


def to_json(document: Mapping[str, object]) -> bytes:
    """Compact JSON."""
    return json.dumps(document, separators=(",", ":")).encode()


def whole_body(ask: Ask, behaviour: Behaviour) -> bytes:
    """The body of a reply that is no stream."""
    if ask.endpoint == "embeddings":
        return to_json(_embeddings(ask))
    if ask.endpoint == "responses":
        return responses_wire.whole_response(ask.model, behaviour, whole_text(ask.model, behaviour))
    document = _envelope(ask, "chat.completion" if ask.endpoint == "chat" else "text_completion")
    document["choices"] = [_whole_choice(ask, behaviour)]
    if behaviour.usage:
        document["usage"] = usage_of(behaviour)
    return to_json(document)


def events_before_content(ask: Ask, behaviour: Behaviour) -> Iterator[bytes]:
    """The role chunk that opens a chat stream."""
    if behaviour.role_first and ask.endpoint == "chat":
        yield _event(ask, behaviour, {"role": "assistant", "content": ""}, None)


def content_events(ask: Ask, behaviour: Behaviour) -> Iterator[bytes]:
    """The content chunks: text, or the deltas of a tool call."""
    if behaviour.tool_call is None:
        for index in range(behaviour.chunks):
            yield _event(
                ask, behaviour, {"content": piece(ask.model, index, behaviour.pad_bytes, behaviour.mark)}, None
            )
        return
    name, arguments = behaviour.tool_call
    opening = {"index": 0, "id": "call_1", "type": "function", "function": {"name": name, "arguments": ""}}
    yield _event(ask, behaviour, {"tool_calls": [opening]}, None)
    for start in range(0, len(arguments), 5):
        delta = {"index": 0, "function": {"arguments": arguments[start : start + 5]}}
        yield _event(ask, behaviour, {"tool_calls": [delta]}, None)


def closing_events(ask: Ask, behaviour: Behaviour) -> Iterator[bytes]:
    """The finish reason, usage where asked for, and the terminator."""
    yield _event(ask, behaviour, {}, "stop" if behaviour.tool_call is None else "tool_calls")
    if behaviour.usage and ask.stream_usage:
        document = _chunk_envelope(ask)
        yield b"data: " + to_json(document | {"choices": [], "usage": usage_of(behaviour)}) + b"\n\n"
    if behaviour.done:
        yield DONE


def models_body(lanes: list[str]) -> bytes:
    """The list of models."""
    data = [{"id": lane, "object": "model", "created": CREATED_S, "owned_by": "scripted"} for lane in lanes]
    return to_json({"object": "list", "data": data})


def _envelope(ask: Ask, kind: str) -> dict[str, object]:
    return {"id": f"scripted-{ask.model}", "object": kind, "created": CREATED_S, "model": ask.model}


def _chunk_envelope(ask: Ask) -> dict[str, object]:
    return _envelope(ask, "chat.completion.chunk" if ask.endpoint == "chat" else "text_completion")


def _event(ask: Ask, behaviour: Behaviour, delta: dict[str, object], finish: str | None) -> bytes:
    choice: dict[str, object] = {"index": 0, "finish_reason": finish, "logprobs": None}
    if ask.endpoint == "chat":
        choice["delta"] = delta
    else:
        choice["text"] = delta.get("content", "")
    document = _chunk_envelope(ask) | {"choices": [choice]}
    if behaviour.usage and ask.stream_usage:
        document["usage"] = None
    return b"data: " + to_json(document) + b"\n\n"


def _whole_choice(ask: Ask, behaviour: Behaviour) -> dict[str, object]:
    choice: dict[str, object] = {"index": 0, "finish_reason": "stop", "logprobs": None}
    text = whole_text(ask.model, behaviour)
    if ask.endpoint != "chat":
        return choice | {"text": text}
    if behaviour.tool_call is None:
        return choice | {"message": {"role": "assistant", "content": text}}
    name, arguments = behaviour.tool_call
    call = {"id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    return choice | {"message": message, "finish_reason": "tool_calls"}


def _embeddings(ask: Ask) -> dict[str, object]:
    packed = base64.b64encode(struct.pack(f"<{len(VECTOR)}f", *VECTOR)).decode()
    vector: object = packed if ask.vectors_base64 else list(VECTOR)
    data = [{"object": "embedding", "index": index, "embedding": vector} for index in range(ask.inputs)]
    usage = {"prompt_tokens": INPUT_TOKENS, "total_tokens": INPUT_TOKENS}
    return {"object": "list", "model": ask.model, "data": data, "usage": usage}
