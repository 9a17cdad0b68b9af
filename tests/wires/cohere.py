"""Cohere's second chat API."""

import inspect
import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, ClassVar, Final, get_type_hints

from cohere.v2.client import V2Client
from pydantic import TypeAdapter

from tests.wires import cohere_reply
from tests.wires.wire import Heard, Refused, Said, ToolCall, WireReply, WireRequest

KEY: Final = "co-upstream-0123456789abcdef"
_CHOICES: Final = {"REQUIRED": "required", "NONE": "none", None: None}


class CohereWire:
    """Source: Cohere, API reference, "Chat" (v2), and the guides "Streaming", "Tool use", "Reasoning" and "Errors".

    A tool that must be called is heard as `required`, with that tool alone; `auto` as None.
    """

    name: ClassVar[str] = "cohere"
    key: ClassVar[str] = KEY
    holes: ClassVar[Mapping[str, str]] = {}

    def settings(self, base_url: str, model: str) -> dict[str, object]:
        """The key and the address."""
        return {"type": self.name, "model": model, "api_key": self.key, "base_url": base_url}

    def hear(self, request: WireRequest) -> Heard:
        """What the SDK's own method would have to be called with."""
        if request.method != "POST" or not request.path.endswith("/v2/chat") or request.query:
            raise ValueError(f"no chat request: {request.method} {request.path}?{request.query}")
        if request.headers.get("authorization") != f"Bearer {self.key}":
            raise ValueError("the key does not stand in the authorization header")
        body = json.loads(request.body)
        judge_request(body, V2Client.chat)
        return _heard(body)

    def whole(self, said: Said, model: str) -> WireReply:
        """One reply. It does not name its model."""
        del model
        return WireReply(200, (json.dumps(cohere_reply.whole(said), ensure_ascii=False).encode(),))

    def stream(self, said: Said, model: str) -> WireReply:
        """Its events, each with its name."""
        del model
        pieces = tuple(cohere_reply.sse(event) for event in cohere_reply.events(said))
        return WireReply(200, pieces, {"content-type": "text/event-stream"})

    def refusal(self, refused: Refused) -> WireReply:
        """`{"message": …}`."""
        headers = {"content-type": "application/json"}
        if refused.retry_after_s is not None:
            headers["retry-after"] = str(refused.retry_after_s)
        document = {"id": "9a2b1c", "message": refused.message}
        return WireReply(refused.status, (json.dumps(document, ensure_ascii=False).encode(),), headers)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def judge_request(body: Mapping[str, Any], method: Any) -> None:
    """Raises ValueError for what the SDK's method could not be called with."""
    hints = get_type_hints(method)
    parameters = set(inspect.signature(method).parameters) - {"self", "request_options"}
    known = parameters | {"stream"}
    if unknown := set(body) - known:
        raise ValueError(f"Cohere has no {', '.join(sorted(unknown))}")
    for name in set(body) & parameters:
        cohere_reply.refuse_strays(_adapter(hints[name]).validate_python(body[name], strict=True))


def _heard(body: Mapping[str, Any]) -> Heard:
    messages = body["messages"]
    form = body.get("response_format") or {}
    return Heard(
        model=body["model"],
        stream=body.get("stream") is True,
        system="\n".join(_text(message) for message in messages if message["role"] == "system"),
        turns=tuple(_turns(messages)),
        images=tuple(_images(messages)),
        tools=tuple(tool["function"]["name"] for tool in body.get("tools") or ()),
        tool_choice=_CHOICES[body.get("tool_choice")],
        calls=tuple(_calls(messages)),
        results=tuple((message["tool_call_id"], _text(message)) for message in messages if message["role"] == "tool"),
        schema=form.get("json_schema"),
        stop=tuple(body.get("stop_sequences") or ()),
        max_tokens=body.get("max_tokens"),
        temperature=body.get("temperature"),
    )


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(block["text"] for block in content if block["type"] == "text")


def _turns(messages: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for message in messages:
        if message["role"] in {"user", "assistant"} and (text := _text(message)):
            yield message["role"], text


def _images(messages: list[Mapping[str, Any]]) -> Iterator[str]:
    for message in messages:
        if isinstance(content := message.get("content"), list):
            yield from (block["image_url"]["url"] for block in content if block["type"] == "image_url")


def _calls(messages: list[Mapping[str, Any]]) -> Iterator[ToolCall]:
    for message in messages:
        for call in message.get("tool_calls") or ():
            yield ToolCall(call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
