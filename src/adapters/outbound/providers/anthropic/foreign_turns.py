"""What turns that another provider spoke have in them and Anthropic refuses: thoughts, ids, and marks of others.

A conversation may have been answered by another provider before, in Anthropic's dialect by translation: by a route, or
where this provider was away.
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from adapters.outbound.providers.rewriting import rewritten

_ID: Final = re.compile(r"[a-zA-Z0-9_-]+")
_NOT_IN_ID: Final = re.compile(r"[^a-zA-Z0-9_-]")
_ID_OF: Final[Mapping[str, str]] = {"tool_use": "id", "tool_result": "tool_use_id"}


def acceptable(fields: Mapping[str, object]) -> Mapping[str, object]:
    """The fields of the request; the very same object where there is nothing of others in them."""
    turns = fields.get("messages")
    if not isinstance(turns, list):
        return fields
    kept = rewritten(turns, _turn)
    return fields if kept is turns else {**fields, "messages": kept}


def _turn(turn: Any) -> Any:
    """None for a turn of which nothing is left."""
    content = turn.get("content") if isinstance(turn, dict) else None
    if not isinstance(content, list):
        return turn
    blocks = rewritten(content, _block)
    if blocks is content:
        return turn
    return {**turn, "content": blocks} if blocks else None


def _block(block: Any) -> Any:
    """None for a thought that nobody has signed."""
    kind = block.get("type") if isinstance(block, dict) else None
    if kind == "thinking":
        return block if block.get("signature") else None
    name = _ID_OF.get(kind) if isinstance(kind, str) else None
    if name is None:
        return block
    call_id = block.get(name)
    if isinstance(call_id, str) and _ID.fullmatch(call_id) is None:
        block = {**block, name: _renamed(call_id)}
    if "extra_content" in block:
        block = {name: value for name, value in block.items() if name != "extra_content"}
    return block


def _renamed(call_id: str) -> str:
    """The same for a call and its result, and another for each."""
    return f"{_NOT_IN_ID.sub('_', call_id)}_{sha256(call_id.encode(errors='surrogatepass')).hexdigest()[:8]}"
