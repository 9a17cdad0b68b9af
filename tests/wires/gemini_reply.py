"""Answers of `generateContent`, checked by google-genai's types."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from google.genai import types

from tests.wires.wire import Refused, Said

Document = dict[str, Any]

SIGNATURE: Final = "Et8BCtwBAePx7l5JmG0h"
_FINISH: Final = {"length": "MAX_TOKENS", "content_filter": "SAFETY"}
_STATUS: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def whole(said: Said, model: str, *, ids: bool) -> Document:
    """One reply with one candidate. `ids`: calls have ids."""
    thoughts = [{"text": said.reasoning, "thought": True}] if said.reasoning else []
    texts = [{"text": said.text}] if said.text else []
    return _document([*thoughts, *texts, *_calls(said, ids=ids)], said, model, finished=True)


def events(said: Said, model: str, *, ids: bool) -> Iterator[Document]:
    """The same, piece by piece; function calls come whole."""
    for text in _halves(said.reasoning):
        yield _document([{"text": text, "thought": True}], said, model, finished=False)
    for text in _halves(said.text):
        yield _document([{"text": text}], said, model, finished=False)
    for call in _calls(said, ids=ids):
        yield _document([call], said, model, finished=False)
    yield _document([{"text": ""}], said, model, finished=True)


def error(refused: Refused) -> Document:
    """`google.rpc.Status`, as the JSON of an error has it."""
    detail: Document = {"code": refused.status, "message": refused.message}
    detail["status"] = _STATUS.get(refused.status, "INTERNAL" if refused.status >= 500 else "INVALID_ARGUMENT")
    if refused.retry_after_s is not None:
        retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{refused.retry_after_s}s"}
        detail["details"] = [retry]
    return {"error": detail}


def as_json(document: Mapping[str, Any]) -> bytes:
    """Google indents its replies, and not its events."""
    return json.dumps(document, ensure_ascii=False).encode()


def _document(parts: list[Document], said: Said, model: str, *, finished: bool) -> Document:
    candidate: Document = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if finished:
        candidate["finishReason"] = _FINISH.get(said.finish, "STOP")
    document = {
        "candidates": [candidate],
        "usageMetadata": _usage(said, finished=finished),
        "modelVersion": model,
        "responseId": "Tm9uY2UtMTIz",
    }
    types.GenerateContentResponse.model_validate(document)
    return document


def _calls(said: Said, *, ids: bool) -> list[Document]:
    parts: list[Document] = []
    for call in said.calls:
        told: Document = {"name": call.name, "args": dict(call.arguments)}
        parts.append({"functionCall": told | ({"id": call.id} if ids else {})})
    if parts:
        parts[0]["thoughtSignature"] = SIGNATURE
    return parts


def _usage(said: Said, *, finished: bool) -> Document:
    output = said.output_tokens if finished else 1
    thoughts = output // 2 if said.reasoning else 0
    usage: Document = {"promptTokenCount": said.input_tokens, "candidatesTokenCount": output - thoughts}
    usage["totalTokenCount"] = said.input_tokens + output
    if thoughts:
        usage["thoughtsTokenCount"] = thoughts
    if said.cached_tokens:
        usage["cachedContentTokenCount"] = said.cached_tokens
    return usage


def _halves(text: str) -> Iterator[str]:
    middle = len(text) // 2
    return (half for half in (text[:middle], text[middle:]) if half)
