"""What Anthropic's answers look like, judged by the models of its official SDK."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from anthropic.types import Message, RawMessageStreamEvent
from pydantic import TypeAdapter

from tests.wires.wire import Said

SIGNATURE: Final = "EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pk="

_ID: Final = "msg_013Zva2CMHLNnjNjJJKqJ2EF"
_STOP_REASONS: Final = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "stop_sequence": "stop_sequence",
    "content_filter": "refusal",
}


def whole(said: Said, model: str) -> dict[str, Any]:
    """The answer in one piece."""
    document = {**_head(model), "content": list(_blocks(said)), **_end(said), "usage": _usage(said)}
    Message.model_validate(document, strict=True)
    return document


def events(said: Said, model: str) -> list[dict[str, Any]]:
    """The same as a stream, with a ping."""
    begun = {**_head(model), "content": [], "stop_reason": None, "stop_sequence": None, "stop_details": None}
    told: list[dict[str, Any]] = [
        {"type": "message_start", "message": begun | {"usage": _usage(said) | {"output_tokens": 1}}},
        *_block_events(said),
        {"type": "message_delta", "delta": _end(said), "usage": {"output_tokens": said.output_tokens}},
        {"type": "message_stop"},
    ]
    for event in told:
        _event().validate_python(event, strict=True)
    told.insert(1, {"type": "ping"})
    return told


@cache
def _event() -> TypeAdapter[Any]:
    return TypeAdapter(RawMessageStreamEvent)


def _head(model: str) -> dict[str, Any]:
    return {"id": _ID, "type": "message", "role": "assistant", "model": model}


def _end(said: Said) -> dict[str, Any]:
    details = {"type": "refusal", "category": None, "explanation": None} if said.finish == "content_filter" else None
    return {
        "stop_reason": _STOP_REASONS[said.finish],
        "stop_sequence": said.stop_sequence or None,
        "stop_details": details,
    }


def _usage(said: Said) -> dict[str, Any]:
    """What is read from the cache is not among the input."""
    return {
        "input_tokens": said.input_tokens - said.cached_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": said.cached_tokens,
        "output_tokens": said.output_tokens,
        "service_tier": "standard",
    }


def _blocks(said: Said) -> Iterator[dict[str, Any]]:
    if said.reasoning:
        yield {"type": "thinking", "thinking": said.reasoning, "signature": SIGNATURE}
    if said.text:
        yield {"type": "text", "text": said.text}
    for call in said.calls:
        yield {"type": "tool_use", "id": call.id, "name": call.name, "input": dict(call.arguments)}


def _block_events(said: Said) -> Iterator[dict[str, Any]]:
    for index, block in enumerate(_blocks(said)):
        empty, deltas = _told(block)
        yield {"type": "content_block_start", "index": index, "content_block": block | empty}
        yield from ({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas)
        yield {"type": "content_block_stop", "index": index}


def _told(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What the start of a block leaves empty, and the deltas that fill it. Tools' input begins with an empty one."""
    match block["type"]:
        case "text":
            return {"text": ""}, [{"type": "text_delta", "text": piece} for piece in _halves(block["text"])]
        case "thinking":
            deltas = [{"type": "thinking_delta", "thinking": piece} for piece in _halves(block["thinking"])]
            signed = {"type": "signature_delta", "signature": block["signature"]}
            return {"thinking": "", "signature": ""}, [*deltas, signed]
        case _:
            pieces = ("", *(_halves(json.dumps(block["input"])) if block["input"] else ()))
            return {"input": {}}, [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]


def _halves(text: str) -> tuple[str, ...]:
    middle = (len(text) + 1) // 2
    return tuple(piece for piece in (text[:middle], text[middle:]) if piece)
