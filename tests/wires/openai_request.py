"""What OpenAI's chat request says, judged by the types of its official SDK."""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from openai.types.chat.completion_create_params import (
    CompletionCreateParamsNonStreaming,
    CompletionCreateParamsStreaming,
)
from pydantic import TypeAdapter

from tests.wires.wire import Heard, ToolCall


def heard(body: bytes, *, model: str = "", beyond: frozenset[str] = frozenset()) -> Heard:
    """The request in `body`.

    Args:
        body: As it arrived.
        model: Named by the path; empty where the body names it.
        beyond: Fields that this provider has beyond OpenAI's.
    """
    fields = json.loads(body)
    _judge(fields if not model else {"model": model, **fields}, beyond)
    messages = fields["messages"]
    return Heard(
        model=model or fields["model"],
        stream=fields.get("stream") is True,
        system="\n".join(text_of(message) for message in messages if message["role"] in {"system", "developer"}),
        turns=tuple(_turns(messages)),
        images=tuple(_images(messages)),
        tools=tuple(tool["function"]["name"] for tool in fields.get("tools") or ()),
        tool_choice=_tool_choice(fields.get("tool_choice")),
        calls=tuple(_calls(messages)),
        results=tuple((message["tool_call_id"], text_of(message)) for message in messages if message["role"] == "tool"),
        schema=_schema(fields.get("response_format")),
        stop=_stop(fields.get("stop")),
        max_tokens=fields.get("max_completion_tokens", fields.get("max_tokens")),
        temperature=fields.get("temperature"),
    )


def text_of(message: Mapping[str, Any]) -> str:
    """A message's text, whatever it is made of."""
    content = message.get("content")
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(part["text"] for part in content if part["type"] == "text")


@cache
def _request(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _judge(fields: Mapping[str, Any], beyond: frozenset[str]) -> None:
    kind = CompletionCreateParamsStreaming if fields.get("stream") else CompletionCreateParamsNonStreaming
    _read(_request(kind).validate_python(fields))
    unknown = set(fields) - kind.__required_keys__ - kind.__optional_keys__ - beyond
    if unknown:
        raise ValueError(f"OpenAI's chat requests have no {', '.join(sorted(unknown))}")


def _read(value: object) -> None:
    """Iterables are validated as they are read."""
    if isinstance(value, Mapping):
        for each in value.values():
            _read(each)
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for each in value:
            _read(each)


def _turns(messages: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for message in messages:
        if message["role"] in {"user", "assistant"} and (text := text_of(message)):
            yield message["role"], text


def _images(messages: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for message in messages:
        if isinstance(content := message.get("content"), list):
            yield from (part["image_url"]["url"] for part in content if part["type"] == "image_url")


def _calls(messages: Iterable[Mapping[str, Any]]) -> Iterator[ToolCall]:
    for message in messages:
        for call in message.get("tool_calls") or ():
            yield ToolCall(call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))


def _tool_choice(choice: Any) -> str | None:
    if choice is None or isinstance(choice, str):
        return choice
    name: str = choice["function"]["name"]
    return name


def _schema(form: Any) -> Mapping[str, object] | None:
    if not form or form["type"] != "json_schema":
        return None
    schema: Mapping[str, object] = form["json_schema"]["schema"]
    return schema


def _stop(stop: Any) -> tuple[str, ...]:
    return (stop,) if isinstance(stop, str) else tuple(stop or ())
