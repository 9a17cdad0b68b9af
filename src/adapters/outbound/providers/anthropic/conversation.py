"""The messages of a chat as Anthropic's system prompt and turns."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from adapters.outbound.providers.anthropic.content import NAME, Block, blocks_of, marked, refused, texts_of
from adapters.outbound.providers.dialect import Fields
from adapters.outbound.providers.failures import unsupported

_NOT_IN_IDS: Final = re.compile(r"[^a-zA-Z0-9_-]")
_CALLS: Final = "messages[].tool_calls"
_SPEAKERS: Final = frozenset({"user", "assistant", "system", "developer"})
_THOUGHTS: Final = ("thinking", "redacted_thinking")


def conversation(messages: Sequence[Fields], *, drop_params: bool) -> tuple[list[Block], list[Block]]:
    """System prompts, which stand apart, and the turns: what one side says in a row is one.

    A message that says nothing makes no turn, for Anthropic refuses those.

    Raises:
        ProviderFailed: UNSUPPORTED or REQUEST_REFUSED, naming the field that can't be honoured.
    """
    system: list[Block] = []
    turns: list[Block] = []
    for message in messages:
        role = message.get("role")
        if role in _SPEAKERS and message.get("name") and not drop_params:
            raise unsupported("messages[].name", NAME)
        blocks = list(_blocks(message, role, drop_params=drop_params))
        if not blocks:
            continue
        if blocks[-1]["type"] not in _THOUGHTS:
            marked(blocks[-1], message)
        if role in {"system", "developer"}:
            system += blocks
            continue
        side = "assistant" if role == "assistant" else "user"
        if not turns or turns[-1]["role"] != side:
            turns.append({"role": side, "content": []})
        turns[-1]["content"] += blocks
    return system, turns


def _blocks(message: Fields, role: object, *, drop_params: bool) -> Iterator[Block]:
    match role:
        case "user":
            return blocks_of(message.get("content"), drop_params=drop_params)
        case "assistant":
            return _answer(message)
        case "system" | "developer":
            return texts_of(message.get("content"))
        case "tool":
            return iter([_result(message, drop_params=drop_params)])
        case _:
            raise unsupported(f"messages[].role {role!r}", NAME)


def _answer(message: Fields) -> Iterator[Block]:
    """What the model said. Thoughts come first, as it had them; only what it signed can be shown to it again."""
    for name in ("audio", "function_call"):
        if message.get(name):
            raise unsupported(f"messages[].{name}", NAME)
    yield from _thoughts(message.get("thinking_blocks"))
    yield from texts_of(message.get("content"))
    if isinstance(refusal := message.get("refusal"), str) and refusal.strip():
        yield {"type": "text", "text": refusal}
    for call in message.get("tool_calls") or ():
        yield _tool_use(call)


def _thoughts(blocks: object) -> Iterator[Block]:
    for block in blocks if isinstance(blocks, list) else ():
        match block:
            case {"type": "thinking", "thinking": str(thinking), "signature": str(signature)} if signature:
                yield {"type": "thinking", "thinking": thinking, "signature": signature}
            case {"type": "redacted_thinking", "data": str(data)}:
                yield {"type": "redacted_thinking", "data": data}


def _tool_use(call: object) -> Block:
    match call:
        case {"function": {"name": str(name), **rest}, **outer} if outer.get("type", "function") == "function":
            given = _input(rest.get("arguments"))
            return {"type": "tool_use", "id": _id(outer.get("id"), f"{_CALLS}[].id"), "name": name, "input": given}
        case _:
            raise unsupported(f"{_CALLS}[].type", NAME)


def _input(arguments: Any) -> Block:
    try:
        given = json.loads(arguments or "{}")
    except (TypeError, ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise refused("expected the arguments of a tool call to be a JSON object", f"{_CALLS}[].function.arguments")
    return given


def _result(message: Fields, *, drop_params: bool) -> Block:
    block: Block = {"type": "tool_result", "tool_use_id": _id(message.get("tool_call_id"), "messages[].tool_call_id")}
    content = list(blocks_of(message.get("content"), drop_params=drop_params))
    return block | {"content": content} if content else block


def _id(value: object, field: str) -> str:
    """Other providers' ids may hold what Anthropic's may not; call and result change alike."""
    if not isinstance(value, str) or not value:
        raise refused(f"expected an id in '{field}'", field)
    return _NOT_IN_IDS.sub("_", value)
