"""Anthropic's Messages requests to domain requests: only what the gateway acts on is looked at."""

import json
from collections.abc import Mapping

from adapters.inbound.http.fields import (
    Fields,
    check_number,
    check_objects,
    optional_bool,
    optional_int,
    optional_object,
    wrong,
)
from adapters.inbound.http.prompt_size import PromptSize
from domain.chat import Endpoint, LlmRequest

MESSAGES = frozenset({Endpoint.MESSAGES, Endpoint.COUNT_TOKENS})

# What a picture of the largest size that is not made smaller comes to: Anthropic, "Vision".
PICTURE_TOKENS = 1_600

_OBJECTS = ("metadata", "output_config", "thinking", "tool_choice")
_NUMBERS = ("temperature", "top_p", "top_k")
# How the types of tools begin that the client runs itself, or that add nothing from outside. MCP's servers are counted
# where they are listed.
_WITHOUT_SOURCES = ("custom", "bash_", "text_editor_", "computer_", "memory_", "tool_search_tool_", "mcp_toolset")
_TEXTS = ("text", "thinking", "title", "context")


def parse_messages(
    endpoint: Endpoint,
    model: str,
    body: bytes,
    fields: Fields,
    *,
    most_tokens: int,
    image_tokens: int,
    file_tokens: int,
) -> LlmRequest:
    """The validated request.

    `most_tokens` is the largest maximum of output; `image_tokens` and `file_tokens` are the most one can come to.

    Raises:
        InvalidRequest: A field that the gateway needs is missing, of the wrong type or out of bounds.
    """
    size = _size(fields)
    for name in _OBJECTS:
        optional_object(fields, name)
    for name in _NUMBERS:
        check_number(fields, name)
    _check_strings(fields, "stop_sequences")
    maximum = optional_int(fields, "max_tokens", 1, most_tokens)
    if maximum is None and endpoint is Endpoint.MESSAGES:
        raise wrong("max_tokens", f"an integer from 1 to {most_tokens}", None)
    return LlmRequest(
        endpoint,
        model,
        body,
        fields,
        stream=endpoint is Endpoint.MESSAGES and optional_bool(fields, "stream") is True,
        input_tokens=size.estimated_tokens + PICTURE_TOKENS * size.images,
        max_output_tokens=maximum,
        most_input_tokens=len(body) + image_tokens * size.images + file_tokens * (size.files + _unseen(fields)),
    )


def _size(fields: Fields) -> PromptSize:
    """Of system prompt, messages and tools."""
    size = PromptSize()
    messages = fields.get("messages")
    if not isinstance(messages, list) or not messages:
        raise wrong("messages", "a non-empty list of messages", messages)
    for index, message in enumerate(messages):
        if not isinstance(message, dict):
            raise wrong(f"messages[{index}]", "an object", message)
        if not isinstance(message.get("role"), str):
            raise wrong(f"messages[{index}].role", "a string", message.get("role"))
        _add_content(size, message.get("content"), f"messages[{index}].content")
    if fields.get("system") is not None:
        _add_content(size, fields["system"], "system")
    check_objects(fields, "tools")
    if fields.get("tools"):
        size.characters += len(json.dumps(fields["tools"]))
    return size


def _add_content(size: PromptSize, content: object, path: str) -> None:
    if isinstance(content, str):
        size.characters += len(content)
        return
    if not isinstance(content, list):
        raise wrong(path, "a string or a list of content blocks", content)
    for index, block in enumerate(content):
        if not isinstance(block, dict):
            raise wrong(f"{path}[{index}]", "an object", block)
        if block.get("type") == "text" and not isinstance(block.get("text"), str):
            raise wrong(f"{path}[{index}].text", "a string", block.get("text"))
        _add_block(size, block)
        if block.get("type") == "tool_result" and block.get("content") is not None:
            _add_content(size, block["content"], f"{path}[{index}].content")


def _add_block(size: PromptSize, block: Mapping[str, object]) -> None:
    size.characters += sum(len(text) for name in _TEXTS if isinstance(text := block.get(name), str))
    match block:
        case {"type": "image"}:
            size.images += 1
        case {"type": "document", "source": {"type": "text", "data": str(text)}}:
            size.characters += len(text)
        case {"type": "document", "source": {"type": "content", "content": str(text)}}:
            size.characters += len(text)
        case {"type": "document", "source": {"type": "content", "content": list(parts)}}:
            for part in parts:
                if isinstance(part, dict):
                    _add_block(size, part)
        case {"type": "document" | "container_upload"}:
            size.files += 1
        case {"type": "tool_use" | "server_tool_use", "input": dict(given)}:
            size.characters += len(json.dumps(given))


def _unseen(fields: Fields) -> int:
    """Sources of prompt that are not in the request: each may fill a context window."""
    tools, servers = fields.get("tools"), fields.get("mcp_servers")
    theirs = [
        tool
        for tool in (tools if isinstance(tools, list) else ())
        if isinstance(tool, dict) and not str(tool.get("type") or "custom").startswith(_WITHOUT_SOURCES)
    ]
    return len(theirs) + (len(servers) if isinstance(servers, list) else 0)


def _check_strings(fields: Fields, name: str) -> None:
    value = fields.get(name)
    if value is None:
        return
    if not isinstance(value, list):
        raise wrong(name, "a list of strings", value)
    for index, item in enumerate(value):
        if not isinstance(item, str):
            raise wrong(f"{name}[{index}]", "a string", item)
