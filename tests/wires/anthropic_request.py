"""What a request for Anthropic's messages says, judged by the types of its official SDK and by its documentation."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from anthropic.types.message_create_params import MessageCreateParamsNonStreaming, MessageCreateParamsStreaming
from pydantic import BaseModel, TypeAdapter

from tests.wires.wire import Heard, ToolCall

Block = Mapping[str, Any]

# Models before 4.7 take them; the SDK of today has them no more.
_OLDER: Final = frozenset({"temperature", "top_p", "top_k"})
_ID: Final = re.compile(r"[a-zA-Z0-9_-]+")
_CHOICES: Final = {"auto": "auto", "any": "required", "none": "none"}


def heard(body: bytes) -> Heard:
    """The request in `body`."""
    fields = json.loads(body)
    _judge(fields)
    fields = _spelled(fields)
    turns = fields["messages"]
    blocks = [block for turn in turns for block in turn["content"]]
    return Heard(
        model=fields["model"],
        stream=fields.get("stream") is True,
        system="\n".join(block["text"] for block in fields.get("system") or ()),
        turns=tuple(_turns(turns)),
        images=tuple(map(_url, _images(blocks))),
        tools=tuple(tool["name"] for tool in fields.get("tools") or ()),
        tool_choice=_tool_choice(fields.get("tool_choice")),
        calls=tuple(ToolCall(block["id"], block["name"], block["input"]) for block in _of("tool_use", blocks)),
        results=tuple((block["tool_use_id"], _text(block.get("content"))) for block in _of("tool_result", blocks)),
        schema=fields.get("output_config", {}).get("format", {}).get("schema"),
        stop=tuple(fields.get("stop_sequences") or ()),
        max_tokens=fields["max_tokens"],
        temperature=fields.get("temperature"),
    )


@cache
def _request(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _judge(fields: dict[str, Any]) -> None:
    kind = MessageCreateParamsStreaming if fields.get("stream") else MessageCreateParamsNonStreaming
    known = {name: value for name, value in fields.items() if name not in _OLDER}
    # What the types do not know is left out of what they make.
    if _made(_request(kind).validate_python(known)) != known:
        raise ValueError("the request holds what Anthropic's API does not know")
    if not 0 <= fields.get("temperature", 0) <= 1:
        raise ValueError("temperature: Input should be between 0 and 1")
    if "tool_choice" in fields and not fields.get("tools"):
        raise ValueError("tool_choice may only be specified while providing tools")
    _judge_thinking(fields)
    _judge_turns(_spelled(fields)["messages"])


def _spelled(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A plain string stands for one block of text, in a turn as in the system prompt."""
    spelled = {"messages": [{**turn, "content": _blocks(turn["content"])} for turn in fields["messages"]]}
    return {**fields, **spelled, "system": _blocks(fields.get("system") or [])}


def _blocks(content: str | list[Block]) -> list[Block]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _judge_thinking(fields: Mapping[str, Any]) -> None:
    thinking = fields.get("thinking", {"type": "disabled"})
    if thinking["type"] == "disabled":
        return
    if fields.get("tool_choice", {}).get("type") in {"any", "tool"}:
        raise ValueError("Thinking may not be enabled when tool_choice forces tool use.")
    if thinking["type"] == "enabled" and not 1_024 <= thinking["budget_tokens"] < fields["max_tokens"]:
        raise ValueError("`max_tokens` must be greater than `thinking.budget_tokens`, which has at least 1024")


def _judge_turns(turns: Iterable[Block]) -> None:
    called: set[str] = set()
    for turn in turns:
        if not turn["content"]:
            raise ValueError("messages: all messages must have non-empty content")
        for block in turn["content"]:
            if block["type"] == "text" and not block["text"].strip():
                raise ValueError("messages: text content blocks must contain non-whitespace text")
            if block["type"] == "tool_use":
                called.add(block["id"])
            if block["type"] == "tool_result" and block["tool_use_id"] not in called:
                raise ValueError("unexpected `tool_use_id` found in `tool_result` blocks")
    if not all(map(_ID.fullmatch, called)):
        raise ValueError("tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'")


def _made(value: Any) -> Any:
    """What was validated, as JSON has it. Iterables are validated as they are read."""
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_unset=True)
    if isinstance(value, Mapping):
        return {name: _made(each) for name, each in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return [_made(each) for each in value]
    return value


def _of(kind: str, blocks: Iterable[Block]) -> Iterator[Block]:
    return (block for block in blocks if block["type"] == kind)


def _turns(turns: Iterable[Block]) -> Iterator[tuple[str, str]]:
    for turn in turns:
        if text := _text(turn["content"]):
            yield turn["role"], text


def _text(content: str | Iterable[Block] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(block["text"] for block in _of("text", content))


def _images(blocks: Iterable[Block]) -> Iterator[Block]:
    for block in blocks:
        if block["type"] == "image":
            yield block["source"]
        elif block["type"] == "tool_result" and not isinstance(block.get("content", ""), str):
            yield from _images(block["content"])


def _url(source: Block) -> str:
    return source["url"] if source["type"] == "url" else f"data:{source['media_type']};base64,{source['data']}"


def _tool_choice(choice: Block | None) -> str | None:
    if choice is None:
        return None
    return choice["name"] if choice["type"] == "tool" else _CHOICES[choice["type"]]
