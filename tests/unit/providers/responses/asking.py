"""Calls for responses, chats that answer them, and the official client's models as judges."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from adapters.outbound.providers.chat_flavour import TRANSLATED
from adapters.outbound.providers.responses_via_chat.dialect import ResponsesDialect
from application.ports.provider import Call
from domain.chat import Chunk, Endpoint, LlmRequest, Usage
from domain.identifiers import RequestId

DIALECT = ResponsesDialect(TRANSLATED)
USAGE = {
    "prompt_tokens": 11,
    "completion_tokens": 7,
    "total_tokens": 18,
    "prompt_tokens_details": {"cached_tokens": 3},
    "completion_tokens_details": {"reasoning_tokens": 2},
}
COUNTED = Usage(11, 7, 3)

_EVENTS: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


def a_call(fields: Mapping[str, Any] | None = None) -> Call:
    asked = {"model": "m", "input": "hello", **(fields or {})}
    request = LlmRequest(Endpoint.RESPONSES, "m", json.dumps(asked).encode(), asked)
    return Call(RequestId("01890a5d-ac96-774b-bcce-b302099a8057"), request, "m", "upstream")


def asked_of_chat(fields: Mapping[str, Any], *, drop_params: bool = False) -> dict[str, Any]:
    return DIALECT.chat_fields(a_call(fields).request, "anthropic", drop_params=drop_params)


def completion(message: Mapping[str, Any], finish: str = "stop", **choice: object) -> dict[str, Any]:
    whole = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish, **choice}
    return {"id": "c", "object": "chat.completion", "created": 1_700_000_000, "choices": [whole], "usage": USAGE}


def replied(message: Mapping[str, Any], finish: str = "stop", **choice: object) -> dict[str, Any]:
    document = DIALECT.reply(completion(message, finish, **choice), a_call())
    Response.model_validate(document, strict=True)
    return document


def chunk_of(delta: Mapping[str, Any], finish: str | None = None, **choice: object) -> Chunk:
    told = {"index": 0, "delta": delta, "finish_reason": finish, **choice}
    document = {"id": "c", "object": "chat.completion.chunk", "created": 1_700_000_000, "choices": [told]}
    return Chunk(json.dumps(document).encode())


def usage_chunk() -> Chunk:
    document = {"id": "c", "object": "chat.completion.chunk", "created": 1_700_000_000, "choices": [], "usage": USAGE}
    return Chunk(json.dumps(document).encode(), content=False, usage=COUNTED, visible=False)


def told_in(chunks: Iterable[Chunk], call: Call | None = None) -> list[Chunk]:
    translation = DIALECT.translation(call or a_call())
    said = [one for chunk in chunks for one in translation.chunks(chunk)]
    return [*said, *translation.finish()]


def events_in(chunks: Sequence[Chunk]) -> list[dict[str, Any]]:
    events = [json.loads(chunk.data) for chunk in chunks]
    for event in events:
        _EVENTS.validate_python(event, strict=True)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    return events
