"""Requests and replies, as the tests of Google's dialect make them."""

import json
from collections.abc import Mapping
from typing import Any

from adapters.outbound.providers.chat_documents import ChatHead
from adapters.outbound.providers.dialect import Asked
from adapters.outbound.providers.gemini.request import generate_fields
from adapters.outbound.providers.gemini.stream import EventsToTheEnd, GeminiEvents
from domain.chat import Chunk
from domain.failure import Failure, ProviderFailed
from domain.redaction import Redactor

HEAD = ChatHead("chatcmpl-01890000-0000-7000-8000-000000000001", 7, "mine")
NEW, OLD, OLD_PRO = "gemini-3-flash", "gemini-2.5-flash", "gemini-2.5-pro"


def body_for(
    model: str = OLD,
    *,
    provider: str = "gemini",
    max_tokens: int | None = None,
    drop_params: bool = False,
    **fields: object,
) -> dict[str, Any]:
    asked = {"messages": [{"role": "user", "content": "Hi"}], **fields}
    return generate_fields(Asked(asked, model, max_tokens=max_tokens, drop_params=drop_params), provider)


def config_for(model: str = OLD, *, drop_params: bool = False, **fields: Any) -> dict[str, Any]:
    config: dict[str, Any] = body_for(model, drop_params=drop_params, **fields).get("generationConfig", {})
    return config


def contents_for(*messages: Mapping[str, object], model: str = OLD, provider: str = "gemini") -> list[dict[str, Any]]:
    contents: list[dict[str, Any]] = body_for(model, provider=provider, messages=list(messages))["contents"]
    return contents


def user(*parts: dict[str, object]) -> dict[str, object]:
    return {"role": "user", "content": list(parts)}


def call_of(call_id: str, name: str, arguments: str, signature: str | None = None) -> dict[str, object]:
    call: dict[str, object] = {
        "id": call_id,
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }
    return call if signature is None else call | {"extra_content": {"google": {"thought_signature": signature}}}


def candidate(
    *parts: Mapping[str, object], finish: str | None = "STOP", index: int = 0, **more: object
) -> dict[str, Any]:
    told: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}, "index": index, **more}
    return told if finish is None else told | {"finishReason": finish}


def document(*candidates: dict[str, Any], **more: object) -> dict[str, Any]:
    return {"candidates": list(candidates), **more}


def sse(*documents: dict[str, Any]) -> bytes:
    return b"".join(b"data: " + json.dumps(each, ensure_ascii=False).encode() + b"\r\n\r\n" for each in documents)


def streamed(wire: bytes, *, step: int | None = None, ended: bool = True) -> tuple[list[Chunk], GeminiEvents]:
    """All chunks of a stream that arrives in pieces of `step` bytes."""
    translation = GeminiEvents(HEAD, Redactor(), usage_wanted=True)
    parser = EventsToTheEnd()
    size = step or len(wire) or 1
    events = [event for at in range(0, len(wire), size) for event in parser.feed(wire[at : at + size])]
    if ended:
        events += parser.finish()
    return [chunk for event in events for chunk in translation.chunks(event)], translation


def failure_in(error: ProviderFailed) -> Failure:
    return error.failure
