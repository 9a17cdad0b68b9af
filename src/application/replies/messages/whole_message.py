"""The shape of Anthropic's whole message, as far as it must be known to keep it and to replay it."""

from collections.abc import Mapping
from typing import Final

from application.replies.members import Members

FINISHED: Final = frozenset({"end_turn", "stop_sequence", "tool_use"})
"""Stop reasons of a message that says all it had to say."""

GROWING: Final[Mapping[str, str]] = {"text": "text", "thinking": "thinking", "tool_use": "input"}
"""The member of a block that a stream tells in pieces, by the block's type. Other blocks come whole."""


def blocks_of(document: Mapping[str, object]) -> list[Members]:
    """The content blocks.

    Raises:
        ValueError: It is no finished message with content.
    """
    blocks, reason = document.get("content"), document.get("stop_reason")
    if document.get("type") != "message" or not isinstance(blocks, list) or not blocks:
        raise ValueError("expected a message with content")
    if not isinstance(reason, str) or not reason:
        raise ValueError("expected a message with a stop reason")
    if not all(map(_is_block, blocks)):
        raise ValueError("expected content blocks that hold what their type says")
    return blocks


def _is_block(block: object) -> bool:
    kind = block.get("type") if isinstance(block, dict) else None
    if not isinstance(block, dict) or not isinstance(kind, str):
        return False
    return kind not in GROWING or isinstance(block.get(GROWING[kind]), dict if kind == "tool_use" else str)


def is_finished(document: Mapping[str, object]) -> bool:
    """Whether it may be kept. Raises ValueError where it is no message."""
    blocks_of(document)
    return document["stop_reason"] in FINISHED
