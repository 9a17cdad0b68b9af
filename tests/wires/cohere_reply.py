"""What Cohere's chat answers look like, judged by the models of its official SDK."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cohere.v2.types.v2chat_response import V2ChatResponse
from cohere.v2.types.v2chat_stream_response import V2ChatStreamResponse
from pydantic import BaseModel, TypeAdapter

from tests.wires.openai_reply import halves
from tests.wires.wire import Said, ToolCall

_ID = "c14c80c3-18eb-4519-9460-6c92edd8cfb4"
_PREAMBLE_TOKENS = 66
_STREAMED: TypeAdapter[Any] = TypeAdapter(V2ChatStreamResponse)
_FINISH = {
    "stop": "COMPLETE",
    "length": "MAX_TOKENS",
    "tool_calls": "TOOL_CALL",
    "stop_sequence": "STOP_SEQUENCE",
    "content_filter": "ERROR_TOXIC",  # of its first API: the second names none
}


def whole(said: Said) -> dict[str, Any]:
    """The answer in one piece."""
    message: dict[str, Any] = {"role": "assistant"}
    blocks = _blocks(said)
    if said.calls:
        message["tool_calls"] = [_call(call) for call in said.calls]
    if _is_plan(said):
        message["tool_plan"] = said.reasoning
    if blocks:
        message["content"] = blocks
    document = {"id": _ID, "message": message, "finish_reason": _FINISH[said.finish], "usage": usage(said)}
    refuse_strays(V2ChatResponse.model_validate(document))
    return document


def events(said: Said) -> list[dict[str, Any]]:
    """The same as a stream."""
    told = [
        {"id": _ID, "type": "message-start", "delta": {"message": {"role": "assistant"}}},
        *_content_events(said),
        *_plan_events(said),
        *_call_events(said),
        {"type": "message-end", "delta": {"finish_reason": _FINISH[said.finish], "usage": usage(said)}},
    ]
    for event in told:
        refuse_strays(_STREAMED.validate_python(event))
    return told


def sse(event: Mapping[str, Any]) -> bytes:
    """One event as it is sent."""
    return f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode()


def usage(said: Said) -> dict[str, Any]:
    """Its own preamble is counted, and not billed."""
    return {
        "billed_units": {"input_tokens": said.input_tokens, "output_tokens": said.output_tokens},
        "tokens": {"input_tokens": said.input_tokens + _PREAMBLE_TOKENS, "output_tokens": said.output_tokens},
        "cached_tokens": said.cached_tokens,
    }


def refuse_strays(value: object) -> None:
    """Raises ValueError for fields that the SDK's models do not have: they would keep them."""
    if isinstance(value, BaseModel):
        if value.model_extra:
            raise ValueError(f"{type(value).__name__} has no {', '.join(value.model_extra)}")
        for name in type(value).model_fields:
            refuse_strays(getattr(value, name))
    elif isinstance(value, list | tuple):
        for each in value:
            refuse_strays(each)


def _is_plan(said: Said) -> bool:
    """What is thought before mere tool calls is their plan; else it is a block of its own."""
    return bool(said.reasoning and said.calls and not said.text)


def _blocks(said: Said) -> list[dict[str, str]]:
    blocks = []
    if said.reasoning and not _is_plan(said):
        blocks.append({"type": "thinking", "thinking": said.reasoning})
    if said.text:
        blocks.append({"type": "text", "text": said.text})
    return blocks


def _call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": json.dumps(call.arguments)}}


def _content_events(said: Said) -> Iterator[dict[str, Any]]:
    for index, block in enumerate(_blocks(said)):
        kind = block["type"]
        begun = {"type": kind, kind: ""}
        yield {"type": "content-start", "index": index, "delta": {"message": {"content": begun}}}
        for piece in halves(block[kind]):
            yield {"type": "content-delta", "index": index, "delta": {"message": {"content": {kind: piece}}}}
        yield {"type": "content-end", "index": index}


def _plan_events(said: Said) -> Iterator[dict[str, Any]]:
    for piece in halves(said.reasoning) if _is_plan(said) else ():
        yield {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": piece}}}


def _call_events(said: Said) -> Iterator[dict[str, Any]]:
    for index, call in enumerate(said.calls):
        begun = _call(call)
        begun["function"]["arguments"] = ""
        yield {"type": "tool-call-start", "index": index, "delta": {"message": {"tool_calls": begun}}}
        for piece in halves(json.dumps(call.arguments)):
            more = {"function": {"arguments": piece}}
            yield {"type": "tool-call-delta", "index": index, "delta": {"message": {"tool_calls": more}}}
        yield {"type": "tool-call-end", "index": index}
