"""Replies in the wire format of OpenAI's Responses, as bytes, written from its documentation."""

import json
from collections.abc import Iterator, Mapping

from tests.e2e.behaviour import Behaviour

CREATED_S = 1_700_000_000
INPUT_TOKENS = 11


class Events:
    """The events of one response, numbered."""

    def __init__(self) -> None:
        self._number = 0

    def __call__(self, kind: str, **members: object) -> bytes:
        document = {"type": kind, "sequence_number": self._number, **members}
        self._number += 1
        return f"event: {kind}\ndata: {json.dumps(document, separators=(',', ':'))}\n\n".encode()


def whole_response(model: str, behaviour: Behaviour, text: str) -> bytes:
    """A whole response."""
    return json.dumps(_response(model, "completed", [_item(behaviour, text, "completed")], behaviour)).encode()


def opening_events(events: Events, model: str, behaviour: Behaviour) -> Iterator[bytes]:
    """What comes before the output."""
    for kind in ("response.created", "response.in_progress"):
        yield events(kind, response=_response(model, "in_progress", [], None))
    yield events("response.output_item.added", output_index=0, item=_item(behaviour, "", "in_progress"))
    if behaviour.tool_call is None:
        yield events("response.content_part.added", **_PLACE, part=_part(""))


def output_events(events: Events, behaviour: Behaviour, pieces: list[str]) -> Iterator[bytes]:
    """The output."""
    if behaviour.tool_call is None:
        for piece in pieces:
            yield events("response.output_text.delta", **_PLACE, delta=piece, logprobs=[], obfuscation="x")
        return
    arguments = behaviour.tool_call[1]
    for start in range(0, len(arguments), 5):
        delta = arguments[start : start + 5]
        yield events("response.function_call_arguments.delta", item_id="fc_1", output_index=0, delta=delta)


def closing_events(events: Events, model: str, behaviour: Behaviour, text: str) -> Iterator[bytes]:
    """What comes after it."""
    item = _item(behaviour, text, "completed")
    if behaviour.tool_call is None:
        yield events("response.output_text.done", **_PLACE, text=text, logprobs=[])
        yield events("response.content_part.done", **_PLACE, part=_part(text))
    else:
        told = {"item_id": "fc_1", "output_index": 0, "arguments": behaviour.tool_call[1]}
        yield events("response.function_call_arguments.done", **told)
    yield events("response.output_item.done", output_index=0, item=item)
    yield events("response.completed", response=_response(model, "completed", [item], behaviour))


def error_event(events: Events) -> bytes:
    """A response that fails."""
    return events("error", code="server_error", message="scripted stream failure", param=None)


_PLACE = {"item_id": "msg_1", "output_index": 0, "content_index": 0}


def _response(model: str, status: str, output: list[object], behaviour: Behaviour | None) -> Mapping[str, object]:
    usage = None
    if behaviour is not None and behaviour.usage:
        usage = {
            "input_tokens": INPUT_TOKENS,
            "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 0},
            "output_tokens": behaviour.chunks,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": INPUT_TOKENS + behaviour.chunks,
        }
    return {
        "id": "resp_native",
        "object": "response",
        "created_at": CREATED_S,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "model": model,
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": usage,
    }


def _item(behaviour: Behaviour, text: str, status: str) -> dict[str, object]:
    if behaviour.tool_call is None:
        content = [_part(text)] if text else []
        return {"id": "msg_1", "type": "message", "role": "assistant", "status": status, "content": content}
    name, arguments = behaviour.tool_call
    said = arguments if status == "completed" else ""
    return {
        "id": "fc_1",
        "type": "function_call",
        "status": status,
        "call_id": "call_1",
        "name": name,
        "arguments": said,
    }


def _part(text: str) -> dict[str, object]:
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}
