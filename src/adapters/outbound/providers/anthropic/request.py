"""Chat requests as Anthropic's Messages API wants them.

Sources: Anthropic's API reference ("Messages", "Tool use", "Vision", "PDF support", "Structured outputs"); OpenAI's for
the fields of a chat completion.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from adapters.outbound.providers.failures import unsupported
from domain.failure import Failure, FailureKind, ProviderFailed

NAME: Final = "anthropic"
HIGHEST_TEMPERATURE: Final = 1

_DATA_URL: Final = re.compile(r"data:([a-z]+/[a-z0-9.+-]+);base64,(.*)", re.DOTALL | re.IGNORECASE)
_PDF: Final = "application/pdf"

Block = dict[str, Any]
Fields = Mapping[str, Any]


def messages_fields(fields: Fields, model: str, *, most_tokens: int, drop_params: bool) -> dict[str, object]:
    """The body of a request for Messages. `fields` are those that are honoured, without nulls.

    `most_tokens`: the maximum where the client set none, for Anthropic wants one.

    Raises:
        ProviderFailed: UNSUPPORTED or REQUEST_REFUSED, naming the field that can't be honoured.
    """
    system, messages = _conversation(fields.get("messages", ()))
    body: dict[str, object] = {
        "model": model,
        "max_tokens": fields.get("max_completion_tokens") or fields.get("max_tokens") or most_tokens,
        "messages": messages,
    }
    if system:
        body["system"] = system
    if "stop" in fields:
        stop = fields["stop"]
        body["stop_sequences"] = [stop] if isinstance(stop, str) else stop
    if fields.get("stream"):
        body["stream"] = True
    body |= _sampling(fields, drop_params=drop_params)
    body |= _tools(fields)
    body |= _output_format(fields.get("response_format"), drop_params=drop_params)
    if isinstance(user := fields.get("user"), str) and user:
        body["metadata"] = {"user_id": user}
    # Anthropic's own, for those who know whom they ask.
    return body | {name: fields[name] for name in ("top_k", "thinking") if name in fields}


def _sampling(fields: Fields, *, drop_params: bool) -> dict[str, object]:
    kept = {name: fields[name] for name in ("temperature", "top_p") if name in fields}
    if kept.get("temperature", 0) > HIGHEST_TEMPERATURE:
        if not drop_params:
            message = f"{NAME} knows temperatures from 0 to {HIGHEST_TEMPERATURE}"
            raise ProviderFailed(Failure(FailureKind.UNSUPPORTED, message, param="temperature"))
        kept["temperature"] = HIGHEST_TEMPERATURE
    return kept


def _tools(fields: Fields) -> dict[str, object]:
    tools = [_tool(tool) for tool in fields.get("tools") or ()]
    if not tools:
        return {}
    choice = _tool_choice(fields.get("tool_choice", "auto"))
    if fields.get("parallel_tool_calls") is False and choice["type"] != "none":
        choice["disable_parallel_tool_use"] = True
    return {"tools": tools, "tool_choice": choice}


def _tool(tool: Fields) -> Block:
    if tool.get("type") != "function":
        raise unsupported("tools[].type", NAME)
    function = tool.get("function") or {}
    block: Block = {
        "name": function.get("name"),
        "input_schema": function.get("parameters") or {"type": "object", "properties": {}},
    }
    if function.get("description"):
        block["description"] = function["description"]
    if function.get("strict"):
        block["strict"] = True
    return block


def _tool_choice(choice: object) -> Block:
    match choice:
        case "none":
            return {"type": "none"}
        case "required":
            return {"type": "any"}
        case {"type": "function", "function": {"name": str(name)}}:
            return {"type": "tool", "name": name}
        case "auto":
            return {"type": "auto"}
        case _:
            raise unsupported("tool_choice", NAME)


def _output_format(wanted: object, *, drop_params: bool) -> dict[str, object]:
    match wanted:
        case None | {"type": "text"}:
            return {}
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)}}:
            return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}
        case _ if drop_params:
            return {}
        case _:
            raise unsupported("response_format", NAME)


def _conversation(messages: Sequence[Fields]) -> tuple[list[Block], list[Block]]:
    """System prompts, which stand apart; and the turns: those of one side that follow each other are one."""
    system: list[Block] = []
    turns: list[Block] = []
    for message in messages:
        role = message.get("role")
        if role in {"system", "developer"}:
            system += _texts(message.get("content"))
            continue
        side = "assistant" if role == "assistant" else "user"
        if not turns or turns[-1]["role"] != side:
            turns.append({"role": side, "content": []})
        turns[-1]["content"] += _blocks(message, str(role))
    return system, turns


def _blocks(message: Fields, role: str) -> Iterator[Block]:
    match role:
        case "user":
            yield from _parts(message.get("content"))
        case "assistant":
            yield from message.get("thinking_blocks") or ()
            yield from _texts(message.get("content"))
            if message.get("refusal"):
                yield {"type": "text", "text": message["refusal"]}
            for call in message.get("tool_calls") or ():
                yield _tool_use(call)
        case "tool":
            yield {
                "type": "tool_result",
                "tool_use_id": message.get("tool_call_id"),
                "content": list(_parts(message.get("content"))),
            }
        case _:
            raise unsupported(f"messages[].role {role!r}", NAME)


def _tool_use(call: Fields) -> Block:
    function = call.get("function") or {}
    try:
        given = json.loads(function.get("arguments") or "{}")
    except (TypeError, ValueError):
        given = None
    if not isinstance(given, dict):
        message = "expected the arguments of a tool call to be a JSON object"
        raise ProviderFailed(
            Failure(FailureKind.REQUEST_REFUSED, message, status=400, param="messages[].tool_calls", unsent=True)
        )
    return {"type": "tool_use", "id": call.get("id"), "name": function.get("name"), "input": given}


def _texts(content: object) -> Iterator[Block]:
    for block in _parts(content):
        if block["type"] != "text":
            raise unsupported(f"messages[].content[].type {block['type']!r}", NAME)
        yield block


def _parts(content: object) -> Iterator[Block]:
    """The blocks of a message's content. Empty texts, which Anthropic refuses, are left out."""
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    for part in content if isinstance(content, list) else ():
        block = _part(part)
        if block != {"type": "text", "text": ""}:
            yield block


def _part(part: Fields) -> Block:
    match part:
        case {"type": "text", "text": str(text)}:
            block: Block = {"type": "text", "text": text}
        case {"type": "refusal", "refusal": str(text)}:
            block = {"type": "text", "text": text}
        case {"type": "image_url", "image_url": {"url": str(url)}}:
            block = {"type": "image", "source": _source(url)}
        case {"type": "file", "file": {"file_data": str(data)}} if data.lower().startswith(f"data:{_PDF}"):
            block = {"type": "document", "source": _source(data)}
        case _:
            raise unsupported(f"messages[].content[].type {part.get('type')!r}", NAME)
    if isinstance(part.get("cache_control"), dict):
        block["cache_control"] = part["cache_control"]
    return block


def _source(url: str) -> Block:
    inline = _DATA_URL.fullmatch(url)
    if inline is None:
        return {"type": "url", "url": url}
    return {"type": "base64", "media_type": inline[1].lower(), "data": inline[2]}
