"""Messages requests, and what their clients make of the answers."""

import json
from collections.abc import Iterable
from typing import Any

from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import Message, RawMessageStreamEvent
from pydantic import TypeAdapter

from adapters.outbound.providers.chat_flavour import TRANSLATED, ChatFlavour
from adapters.outbound.providers.messages_via_chat.request import chat_fields
from adapters.outbound.providers.messages_via_chat.stream import MessageEvents
from application.ports.provider import Call
from domain.chat import Chunk, Endpoint, LlmRequest, Usage
from domain.identifiers import RequestId

PLAIN = ChatFlavour()
USER = {"role": "user", "content": "Hi"}
USAGE = Usage(11, 7, 4)
TOLD_USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 4}}
_EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)


def message_call(**fields: Any) -> Call:
    document = {"model": "mine", "max_tokens": 9, "messages": [USER], **fields}
    request = LlmRequest(
        Endpoint.MESSAGES, "mine", json.dumps(document).encode(), document, stream=True, input_tokens=3
    )
    return Call(RequestId("01890000-0000-7000-8000-000000000001"), request, "mine", "upstream")


def asked(flavour: ChatFlavour = TRANSLATED, *, drop_params: bool = False, **fields: Any) -> dict[str, Any]:
    request = message_call(**fields).request
    return chat_fields(request.fields, flavour, "openai", drop_params=drop_params)


def said(content: object, flavour: ChatFlavour = TRANSLATED, role: str = "user") -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = asked(flavour, messages=[{"role": role, "content": content}])["messages"]
    return told


def chunk(finish: str | None = None, usage: Usage | None = None, **delta: Any) -> Chunk:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}] if delta or finish else []
    document = {"id": "x", "choices": choices, "usage": TOLD_USAGE if usage else None}
    return Chunk(json.dumps(document).encode(), usage=usage, visible=usage is None)


def tool_delta(index: int, arguments: str, name: str | None = None) -> Chunk:
    call: dict[str, Any] = {"index": index, "function": {"arguments": arguments}}
    if name is not None:
        call |= {"id": f"call_{name}", "type": "function", "function": {"name": name, "arguments": arguments}}
    return chunk(tool_calls=[call])


def events_of(chunks: Iterable[Chunk], call: Call | None = None) -> list[Chunk]:
    translation = MessageEvents(call or message_call())
    told = [event for one in chunks for event in translation.chunks(one)]
    return [*told, *translation.finish()]


def documents(events: Iterable[Chunk]) -> list[dict[str, Any]]:
    return [json.loads(event.data) for event in events]


def rebuilt(events: Iterable[Chunk]) -> dict[str, Any]:
    """As the official client puts it together, having judged each event, and that blocks are well-formed."""
    snapshot: Any = None
    buffers: dict[int, bytes] = {}
    current = None
    for number, document in enumerate(documents(events)):
        event = _EVENT.validate_python(document, strict=True)
        if event.type == "content_block_start":
            assert current is None
            current = event.index
            assert current == len(snapshot.content)
        elif event.type in {"content_block_delta", "content_block_stop"}:
            assert event.index == current
            current = None if event.type == "content_block_stop" else current
        assert (number == 0) == (event.type == "message_start")
        snapshot = accumulate_event(event=event, current_snapshot=snapshot, json_bufs=buffers)
    assert current is None
    assert event.type == "message_stop"
    message: dict[str, Any] = Message.model_validate(snapshot.to_dict()).model_dump(exclude_none=True)
    return message
